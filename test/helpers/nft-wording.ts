/**
A listing of a newer nft in the words of 1.0.6, which is what our printer writes.
Two things are told otherwise since: the priorities of an output hook have names too (`dstnat` for -100, `dstnat + 5` for -95), and a mask that is a prefix stays a mask (`meta mark & 0xff000000 == 0x12000000` for `meta mark 0x12000000/8`). What both versions print is in fixtures/nft/wordings.txt.
A listing of 1.0.6 comes back as it is: it never says `dstnat` of an output hook, and prints every such mask as a prefix.
*/
export function inOlderWords(listing: string): string {
	return listing
		.replaceAll(/(?<=^\t\ttype \w+ hook output priority )dstnat(?: (?<sign>[+-]) (?<more>\d+))?(?=;)/gmu, (...given) => {
			const {sign, more = '0'} = given.at(-1) as {sign?: string; more?: string};
			return String(-100 + (Number(more) * (sign === '-' ? -1 : 1)));
		})
		.replaceAll(/(?<=\b(?:meta|ct) mark )& (?<mask>0x[\da-f]{8}) (?<operator>[!=]=) (?<value>0x[\da-f]{8})\b/gu, (...given) => {
			const {mask, operator, value} = given.at(-1) as {mask: string; operator: string; value: string};
			const bits = Number(mask).toString(2).padStart(32, '0');
			return /^1*0*$/u.test(bits) ? `${operator === '!=' ? '!= ' : ''}${value}/${bits.replaceAll('0', '').length}` : given[0];
		});
}
