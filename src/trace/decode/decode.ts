/**
The entry point of the decoders of all streams.
*/

import type {TraceStream} from '../../netfilter/backends.js';
import type {Decoded} from './event.js';
import {decodeNflog} from './nflog.js';
import {decodeNftTrace} from './nft-trace.js';

const decoders: Readonly<Record<TraceStream, (bytes: Uint8Array) => Decoded>> = {nft: decodeNftTrace, nflog: decodeNflog};

/**
The events of a datagram, and the parts that are not understood.

@throws {NetlinkFormatError} if it does not have netlink's framing.
*/
export function decodeDatagram({stream, bytes}: {readonly stream: TraceStream; readonly bytes: Uint8Array}): Decoded {
	return decoders[stream](bytes);
}
