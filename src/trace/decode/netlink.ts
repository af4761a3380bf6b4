/**
Netlink's framing: messages in a buffer, attributes in a message (netlink(7), linux/netlink.h). Messages use the byte order of the machine; netfilter's attributes are in network order.
*/

/** The framing of a message or an attribute is broken: its length does not fit. */
export class NetlinkFormatError extends Error {
	override readonly name = 'NetlinkFormatError';
}

/** One netlink message: its type and the position of its body in the buffer that was read. */
export type NetlinkMessage = {
	readonly type: number;
	readonly flags: number;
	readonly body: DataView;
};

/** Attributes by their type; a type that occurs twice keeps its last value, as in the kernel's `nla_parse`. */
export type Attributes = ReadonlyMap<number, DataView>;

const headerBytes = 16; // `struct nlmsghdr`.
const attributeHeaderBytes = 4; // `struct nlattr`.
const attributeTypeMask = 0x3F_FF; // Without NLA_F_NESTED and NLA_F_NET_BYTEORDER.

/** The kernel's types of control messages (linux/netlink.h). */
export const controlTypes = {noop: 1, error: 2, done: 3, overrun: 4} as const;

function aligned(length: number): number {
	return (length + 3) & ~3; // NLMSG_ALIGNTO and NLA_ALIGNTO are both 4.
}

/**
All messages of one datagram.

@throws {NetlinkFormatError} if a length does not fit the buffer.
*/
export function parseMessages(bytes: Uint8Array): readonly NetlinkMessage[] {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const messages: NetlinkMessage[] = [];
	let offset = 0;
	while (offset < view.byteLength) {
		const length = offset + headerBytes <= view.byteLength ? view.getUint32(offset, true) : 0;
		if (length < headerBytes || offset + length > view.byteLength) {
			throw new NetlinkFormatError(`A netlink message at byte ${offset} claims ${length} bytes of ${view.byteLength - offset}.`);
		}

		messages.push({
			type: view.getUint16(offset + 4, true),
			flags: view.getUint16(offset + 6, true),
			body: new DataView(view.buffer, view.byteOffset + offset + headerBytes, length - headerBytes),
		});
		offset += aligned(length);
	}

	return messages;
}

/**
The attributes of a body, from byte `start` on.

@throws {NetlinkFormatError} if a length does not fit the body.
*/
export function parseAttributes(body: DataView, start = 0): Attributes {
	const attributes = new Map<number, DataView>();
	let offset = start;
	while (offset + attributeHeaderBytes <= body.byteLength) {
		const length = body.getUint16(offset, true);
		if (length < attributeHeaderBytes || offset + length > body.byteLength) {
			throw new NetlinkFormatError(`A netlink attribute at byte ${offset} claims ${length} bytes of ${body.byteLength - offset}.`);
		}

		attributes.set(
			body.getUint16(offset + 2, true) & attributeTypeMask,
			new DataView(body.buffer, body.byteOffset + offset + attributeHeaderBytes, length - attributeHeaderBytes),
		);
		offset += aligned(length);
	}

	return attributes;
}

/** Bytes of `struct nfgenmsg` before the attributes of a netfilter message: family, version, resource (linux/netfilter/nfnetlink.h). */
export const generalHeaderBytes = 4;

/** A 32-bit number in network order; undefined if the attribute is missing or has another size. */
export function uint32Of(attributes: Attributes, type: number): number | undefined {
	const view = attributes.get(type);
	return view?.byteLength === 4 ? view.getUint32(0) : undefined;
}

/** A NUL-terminated string attribute. Names of tables, chains and log prefixes are ASCII. */
export function stringOf(view: DataView): string {
	let text = '';
	for (let index = 0; index < view.byteLength; index++) {
		const code = view.getUint8(index);
		if (code === 0) {
			break;
		}

		text += String.fromCodePoint(code);
	}

	return text;
}
