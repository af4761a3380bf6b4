import test from 'ava';
import {parseNftJson} from '../../../../src/netfilter/nftables/json.js';
import {parseNft, printNft} from '../../../../src/netfilter/nftables/ruleset.js';
import {readFixture} from '../../../helpers/fixtures.js';
import {inOlderWords} from '../../../helpers/nft-wording.js';

/** What a version printed of the rule set of fixtures/nft/wordings.txt. */
function printedBy(version: string, option: string): string {
	const [, text = ''] = readFixture('nft', 'wordings.txt').split(`#### nft ${version}, nft ${option} list ruleset\n`);
	return text.replace(/#### nft [^]*$/u, '');
}

const older = printedBy('1.0.6', '-s');
const newer = printedBy('1.1.3', '-s');

test('the listings of nft 1.0.6 and 1.1.3 mean the same, in text and in JSON', t => {
	t.not(newer, older);
	const set = parseNft(older);
	t.deepEqual(parseNft(newer), set);
	t.deepEqual(parseNftJson(printedBy('1.0.6', '-j')), set);
	t.deepEqual(parseNftJson(printedBy('1.1.3', '-j')), set);
	t.is(printNft(set), older);
});

test('a newer listing is converted to older words, and an older one stays unchanged', t => {
	t.is(inOlderWords(newer), older);
	t.is(inOlderWords(older), older);
	t.is(inOlderWords('\t\tmeta mark & 0x00000fff == 0x00000539 accept\n'), '\t\tmeta mark & 0x00000fff == 0x00000539 accept\n', 'no prefix');
	t.is(inOlderWords('\t\ttype nat hook output priority dstnat - 3; policy accept;\n'), '\t\ttype nat hook output priority -103; policy accept;\n');
	t.is(inOlderWords('\t\ttype nat hook prerouting priority dstnat; policy accept;\n'), '\t\ttype nat hook prerouting priority dstnat; policy accept;\n');
});
