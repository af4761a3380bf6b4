/**
Versions of Debian packages (deb-version(7)).
*/

/** Where a character sorts among those that are no digits: `~` before everything, even before the end; letters before all others. */
function weightOf(character: string | undefined): number {
	if (character === '~') {
		return -1;
	}

	if (character === undefined) {
		return 0;
	}

	return /[a-z]/iu.test(character) ? character.codePointAt(0)! : character.codePointAt(0)! + 256;
}

/** Compares parts without an epoch: in turn a run of other characters and a number. */
function compareParts(a: string, b: string): number {
	const [left, right] = [a, b].map(text => [...text.matchAll(/(?<other>\D*)(?<digits>\d*)/gu)].map(({groups}) => groups!));
	for (let index = 0; index < Math.max(left!.length, right!.length); index++) {
		const [one, two] = [left![index]?.['other'] ?? '', right![index]?.['other'] ?? ''];
		for (let place = 0; place < Math.max(one.length, two.length); place++) {
			const difference = weightOf(one[place]) - weightOf(two[place]);
			if (difference !== 0) {
				return difference;
			}
		}

		const difference = Number(left![index]?.['digits'] ?? 0) - Number(right![index]?.['digits'] ?? 0);
		if (difference !== 0) {
			return difference;
		}
	}

	return 0;
}

function partsOf(version: string): readonly [epoch: number, upstream: string, revision: string] {
	const {epoch, upstream, revision} = /^(?:(?<epoch>\d+):)?(?<upstream>.+?)(?:-(?<revision>[^-]*))?$/u.exec(version)?.groups ?? {};
	return [Number(epoch ?? 0), upstream ?? '', revision ?? '0'];
}

/** Negative if `a` is older than `b`, 0 if dpkg does not tell them apart. */
export function compareVersions(a: string, b: string): number {
	const [left, right] = [partsOf(a), partsOf(b)];
	return (left[0] - right[0]) || compareParts(left[1], right[1]) || compareParts(left[2], right[2]);
}
