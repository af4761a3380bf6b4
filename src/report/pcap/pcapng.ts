/**
Packets as a pcapng file (IETF draft-ietf-opsawg-pcapng, version 1.0), for Wireshark and tshark: little-endian, one section, times in nanoseconds.

It has a writer of its own because the npm packages either write the older pcap format, which has neither interface names nor comments, or only read. Three kinds of blocks are enough.
*/

/** An interface on which packets were captured. */
export type CapturedInterface = {readonly name: string; readonly description: string};

/** One packet with its Ethernet header. `interface` is an index into the list of interfaces; `time` is in nanoseconds since 1970. */
export type CapturedPacket = {readonly interface: number; readonly time: bigint; readonly bytes: Uint8Array};

/** A packet with its comment. */
export type AnnotatedPacket = CapturedPacket & {readonly comment?: string};

/** A capture. `program` is the program that made it. */
export type Capture = {readonly program: string; readonly comment: string; readonly interfaces: readonly CapturedInterface[]; readonly packets: readonly AnnotatedPacket[]};

const [sectionHeader, interfaceDescription, enhancedPacket] = [0x0A_0D_0D_0A, 1, 6];
const byteOrderMagic = 0x1A_2B_3C_4D;
const ethernet = 1; // LINKTYPE_ETHERNET
/** Block options. The first two mean the same in every block. */
const [endOfOptions, optionComment, interfaceName, interfaceAbout, interfaceResolution, madeBy] = [0, 1, 2, 3, 9, 4];
const nanoseconds = 9; // The resolution, as a power of ten.
const longestOption = 0xFF_FF;

type Option = readonly [code: number, value: Uint8Array];

/** The file. */
export function printPcapng({program, comment, interfaces, packets}: Capture): Uint8Array {
	return concat([
		block(sectionHeader, words([byteOrderMagic, 1, 0xFF_FF_FF_FF, 0xFF_FF_FF_FF]), [textOption(optionComment, comment), textOption(madeBy, program)]),
		...interfaces.map(({name, description}) => block(interfaceDescription, words([ethernet, 0]), [
			textOption(interfaceName, name), textOption(interfaceAbout, description), [interfaceResolution, Uint8Array.of(nanoseconds)],
		])),
		...packets.map(({interface: place, time, bytes, comment: said}) => block(
			enhancedPacket,
			concat([words([place, Number(time >> 32n), Number(time & 0xFF_FF_FF_FFn), bytes.length, bytes.length]), padded(bytes)]),
			said === undefined ? [] : [textOption(optionComment, said)],
		)),
	]);
}

function block(type: number, body: Uint8Array, options: readonly Option[]): Uint8Array {
	const rest = options.length === 0
		? []
		: [...options.flatMap(([code, value]) => [halves(code, value.length), padded(value)]), halves(endOfOptions, 0)];
	const content = concat([body, ...rest]);
	const length = content.length + 12;
	return concat([words([type, length]), content, words([length])]);
}

function textOption(code: number, text: string): Option {
	const bytes = utf8(text);
	if (bytes.length <= longestOption) {
		return [code, bytes];
	}

	// Does not split a multi-byte character.
	let end = longestOption;
	while ((bytes[end]! & 0xC0) === 0x80) {
		end--;
	}

	return [code, bytes.subarray(0, end)];
}

/** UTF-8 (RFC 3629), for which pure code has no encoder. A lone surrogate, which UTF-8 cannot encode, becomes a question mark. */
function utf8(text: string): Uint8Array {
	const escaped = encodeURIComponent(text.replaceAll(/\p{Surrogate}/gu, '?'));
	return Uint8Array.from(escaped.match(/%[\dA-F]{2}|[^%]/gu) ?? [], part => part.length === 1 ? part.codePointAt(0)! : Number.parseInt(part.slice(1), 16));
}

function words(values: readonly number[]): Uint8Array {
	const bytes = new Uint8Array(values.length * 4);
	const view = new DataView(bytes.buffer);
	for (const [index, value] of values.entries()) {
		view.setUint32(index * 4, value, true);
	}

	return bytes;
}

function halves(one: number, other: number): Uint8Array {
	return words([one | (other << 16)]);
}

/** Every part of a block is aligned to four bytes. */
function padded(bytes: Uint8Array): Uint8Array {
	const whole = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
	whole.set(bytes);
	return whole;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
	const whole = new Uint8Array(parts.reduce((sum, {length}) => sum + length, 0));
	let offset = 0;
	for (const part of parts) {
		whole.set(part, offset);
		offset += part.length;
	}

	return whole;
}
