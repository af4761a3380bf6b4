/** Changes of inputs, as they happen to files and datagrams: bytes, pieces, lines, words, numbers. */

import {Buffer} from 'node:buffer';

const spoilers = [
	(bytes, random) => {
		bytes[random.below(bytes.length)] = random.below(256);
		return bytes;
	},
	(bytes, random) => bytes.subarray(0, random.below(bytes.length)),
	(bytes, random) => {
		const from = random.below(bytes.length);
		return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + 1 + random.below(random.pick([4, 60, bytes.length])))]);
	},
	(bytes, random) => {
		const at = random.below(bytes.length);
		const piece = bytes.subarray(at, at + random.below(200));
		return Buffer.concat([bytes.subarray(0, at), piece, piece, bytes.subarray(at)]);
	},
	(bytes, random) => {
		const lines = bytes.toString('latin1').split('\n');
		const [one, other] = [random.below(lines.length), random.below(lines.length)];
		[lines[one], lines[other]] = [lines[other], lines[one]];
		return Buffer.from(lines.join('\n'), 'latin1');
	},
	(bytes, random) => {
		const lines = bytes.toString('latin1').split('\n');
		lines.splice(random.below(lines.length), 1, ...random.pick([[], [random.pick(lines)]]));
		return Buffer.from(lines.join('\n'), 'latin1');
	},
	(bytes, random) => changeWord(bytes, random, () => random.pick(['-1', '99999999999999999999', '0x', '""', '!', '{', '}', '[', ':', '--', '\0', '&a', '*a', '1.2.3.4/33', '::/129', 'NaN', '-A', 'COMMIT', '\u00E9'])),
	// A word of the same file: it is understood, but in another place.
	(bytes, random) => changeWord(bytes, random, (word, words) => random.pick(words)),
	(bytes, random) => changeWord(bytes, random, word => word.replace(/\d+/u, digits => String(Math.max(0, Number(digits) + random.pick([-1, 1, 256, 65_536]))))),
];

function changeWord(bytes, random, change) {
	const words = bytes.toString('latin1').split(/(\s+)/u);
	const at = random.below(words.length);
	words[at] = change(words[at], words);
	return Buffer.from(words.join(''), 'latin1');
}

/** A copy of a seed with one to four changes. */
export function spoil(seed, random) {
	let bytes = Buffer.from(seed);
	for (let left = random.pick([1, 1, 1, 2, 3, 4]); left > 0 && bytes.length > 0; left--) {
		bytes = random.pick(spoilers)(bytes, random);
	}

	return bytes;
}

/** A datagram in the text of a recording. */
const datagramPattern = /\["(?:nft|nflog)[^"]*","[\da-f]+"\]/gu;

/** The datagrams in the text of a recording. @returns {readonly Buffer[]} */
export function datagramsIn(body) {
	return [...body.toString('utf8').matchAll(datagramPattern)].map(([text]) => Buffer.from(JSON.parse(text)[1], 'hex'));
}

/** A recording's text in which one datagram is lost, comes twice or is changed. */
export function spoilTrace(body, random) {
	const text = body.toString('utf8');
	const victim = random.pick([...text.matchAll(datagramPattern)]);
	const [stream, hex] = JSON.parse(victim[0]);
	const changed = Buffer.from(hex, 'hex');
	changed[random.below(changed.length)] ^= 1 << random.below(8); // eslint-disable-line no-bitwise -- One bit.
	const replacement = random.pick([[], [victim[0], victim[0]], [JSON.stringify([stream, changed.toString('hex')])]]);
	const [before, after] = [text.slice(0, victim.index), text.slice(victim.index + victim[0].length)];
	const isLast = replacement.length === 0 && !after.startsWith(',');
	return Buffer.from((isLast ? before.replace(/,$/u, '') : before) + replacement.join(',') + (replacement.length === 0 && !isLast ? after.slice(1) : after));
}
