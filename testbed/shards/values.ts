/**
Results of commands that are not recorded: as a table of nodes in the file of a shard, and back.
*/

import type {ShardFile} from '../../src/sharding/gather.js';
import {TableReader, TableWriter} from '../../src/sharding/value-table.js';
import {damaged} from '../recording/sealed-lines.js';
import {wordsOfShardFile} from './file.js';
import {meshOfName, nameOfMesh} from './mesh-names.js';

/** Makes an encoder for one file. Its values must be written in this order: the frame, then the pieces. */
export function createEncoder(): (value: unknown) => unknown {
	const writer = new TableWriter(nameOfMesh);
	return value => writer.write(value);
}

/**
A file whose frame and results are the values that were encoded.

@throws {TestbedError} INPUT if they cannot be decoded.
*/
export function decodedFile(file: ShardFile): ShardFile {
	const reader = new TableReader(meshOfName);
	const decode = (encoded: unknown): unknown => {
		try {
			return reader.read(encoded as Parameters<TableReader['read']>[0]);
		} catch (error) {
			throw damaged(wordsOfShardFile(file.name), `a result cannot be read: ${(error as Error).message}`, error);
		}
	};

	const frame = file.header.frame === null ? null : decode(file.header.frame);
	return {...file, header: {...file.header, frame}, pieces: file.pieces.map(piece => ({...piece, result: decode(piece.result)}))};
}
