/**
Netlink's framing read in place, and requests: for answers of megabytes, of which little is needed. `netlink.ts` makes an object of each attribute.
*/

import {controlTypes, generalHeaderBytes, NetlinkFormatError} from './netlink.js';

const flags = {
	request: 1, acknowledge: 4, dump: 0x3_00, interrupted: 0x10,
} as const; // `NLM_F_REQUEST`, `NLM_F_ACK`, `NLM_F_DUMP`, `NLM_F_DUMP_INTR`.

/** The flags of a request that changes something, and whose success the kernel confirms. */
export const changeFlags: number = flags.acknowledge;

const headerBytes = 16; // `struct nlmsghdr`.
const attributeHeaderBytes = 4; // `struct nlattr`.
const attributeTypeMask = 0x3F_FF; // Without NLA_F_NESTED and NLA_F_NET_BYTEORDER.

/** How far a dump is: whether that was all, and whether the rules changed in between, so that it has to be asked for again. */
export type DumpState = {readonly isDone: boolean; readonly isInterrupted: boolean};

/** The kernel refused a dump. `errorNumber` is positive. */
export class DumpError extends Error {
	override readonly name = 'DumpError';
	readonly errorNumber: number;

	constructor(errorNumber: number) {
		super(`the kernel answered with error number ${errorNumber}`);
		this.errorNumber = errorNumber;
	}
}

/** A request, by default for a dump, with attributes that are texts, which get the zero that ends them, or bytes. `resource` is `res_id` of `struct nfgenmsg`, which only the messages around a batch have. */
export function requestMessage(type: number, family: number, attributes: ReadonlyArray<readonly [type: number, value: string | Uint8Array]>, {flags: further = flags.dump, resource = 0}: {
	readonly flags?: number; readonly resource?: number;
} = {}): Uint8Array {
	const values = attributes.map(([, value]) => typeof value === 'string' ? asciiBytes(value) : value);
	const bytes = new Uint8Array(headerBytes + generalHeaderBytes + values.reduce((sum, {length}) => sum + aligned(attributeHeaderBytes + length), 0));
	const view = new DataView(bytes.buffer);
	view.setUint32(0, bytes.length, true);
	view.setUint16(4, type, true);
	view.setUint16(6, flags.request | further, true);
	view.setUint8(headerBytes, family);
	view.setUint16(headerBytes + 2, resource);
	let offset = headerBytes + generalHeaderBytes;
	for (const [index, [attribute]] of attributes.entries()) {
		const size = attributeHeaderBytes + values[index]!.length;
		view.setUint16(offset, size, true);
		view.setUint16(offset + 2, attribute, true);
		bytes.set(values[index]!, offset + attributeHeaderBytes);
		offset += aligned(size);
	}

	return bytes;
}

/** The bytes of a name of our own tables, which is ASCII, and the zero that ends it. */
function asciiBytes(text: string): Uint8Array {
	return Uint8Array.from([...text, '\0'], letter => letter.codePointAt(0)!);
}

function aligned(length: number): number {
	return (length + 3) & ~3;
}

/**
Calls `act` for the body of each message of a type.

@throws {NetlinkFormatError} if a length does not fit. {DumpError} if the kernel refuses.
*/
export function eachMessage(bytes: Uint8Array, wanted: number, act: (view: DataView, start: number, end: number) => void): DumpState {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	let isDone = false;
	let isInterrupted = false;
	for (let offset = 0; offset < view.byteLength;) {
		const length = offset + headerBytes <= view.byteLength ? view.getUint32(offset, true) : 0;
		if (length < headerBytes || offset + length > view.byteLength) {
			throw new NetlinkFormatError(`A netlink message at byte ${offset} claims ${length} bytes of ${view.byteLength - offset}.`);
		}

		const type = view.getUint16(offset + 4, true);
		isInterrupted ||= (view.getUint16(offset + 6, true) & flags.interrupted) !== 0;
		if (type === controlTypes.done || type === controlTypes.error) {
			const error = length >= headerBytes + 4 ? view.getInt32(offset + headerBytes, true) : 0;
			if (error !== 0) {
				throw new DumpError(-error);
			}

			isDone = true;
		} else if (type === wanted && length >= headerBytes + generalHeaderBytes) {
			act(view, offset + headerBytes, offset + length);
		}

		offset += aligned(length);
	}

	return {isDone, isInterrupted};
}

/**
Calls `act` with the type and the bounds of each attribute.

@throws {NetlinkFormatError} if a length does not fit.
*/
export function eachAttribute(view: DataView, {start, end}: {readonly start: number; readonly end: number}, act: (type: number, from: number, to: number) => void): void {
	for (let offset = start; offset + attributeHeaderBytes <= end;) {
		const length = view.getUint16(offset, true);
		if (length < attributeHeaderBytes || offset + length > end) {
			throw new NetlinkFormatError(`A netlink attribute at byte ${offset - start} claims ${length} bytes of ${end - offset}.`);
		}

		act(view.getUint16(offset + 2, true) & attributeTypeMask, offset + attributeHeaderBytes, offset + length);
		offset += aligned(length);
	}
}

/** Whether an attribute is this text, with its NUL. */
export function isText(view: DataView, {from, to}: {readonly from: number; readonly to: number}, text: string): boolean {
	if (to - from !== text.length + 1) {
		return false;
	}

	for (let index = 0; index < text.length; index++) {
		if (view.getUint8(from + index) !== text.codePointAt(index)) {
			return false;
		}
	}

	return true;
}

/** The text from a place on, up to a NUL or the end. Names of tables and chains are ASCII. */
export function textAt(view: DataView, from: number, to: number): string {
	let text = '';
	for (let index = from; index < to; index++) {
		const code = view.getUint8(index);
		if (code === 0) {
			break;
		}

		text += String.fromCodePoint(code);
	}

	return text;
}
