/**
The worker that reads spoiled inputs. It answers each with `read`, `refused` (an error that the testbed throws on purpose, with a message) or `crashed`.
*/

import {Buffer} from 'node:buffer';
import {createHash} from 'node:crypto';
import {parentPort} from 'node:worker_threads';
import {gzipSync} from 'node:zlib';
import {
	importRules, meshes, parseBaseline, parseLesson, parsePod, parseScenario,
} from '../../dist/src/index.js';
import {decodeDatagram} from '../../dist/src/trace/decode/decode.js';
import {replay} from '../../dist/testbed/recording/replay.js';

/** The errors by which readers refuse, by the name of their class. Any other is a fault. */
const refusals = new Set(['InputError', 'ParseError', 'RuleSyntaxError', 'JsonShapeError', 'LoadedRulesError', 'NetlinkFormatError', 'ProbeFault', 'TestbedError']);

function reseal(body) {
	const seal = JSON.stringify({sha256: createHash('sha256').update(body).digest('hex')});
	return gzipSync(Buffer.concat([body, Buffer.from(`${seal}\n`)]));
}

const readers = {
	rules: bytes => importRules(bytes.toString('utf8')),
	scenario: bytes => parseScenario(bytes.toString('utf8'), meshes),
	pod: bytes => parsePod(bytes.toString('utf8')),
	lesson: bytes => parseLesson(bytes.toString('utf8'), '01-lesson.md'),
	baseline: bytes => parseBaseline(bytes.toString('utf8')),
	recording: bytes => replay(bytes, 'spoiled.testbed'),
	evidence: bytes => replay(reseal(bytes), 'spoiled.testbed'),
	datagram: bytes => [decodeDatagram({stream: 'nft', bytes}), decodeDatagram({stream: 'nflog', bytes})],
};

function answer({kind, bytes}) {
	try {
		readers[kind](Buffer.from(bytes));
		return {outcome: 'read', message: ''};
	} catch (error) {
		const isRefusal = error instanceof Error && refusals.has(error.constructor.name) && error.message !== '' && error.code !== 'INTERNAL';
		return {outcome: isRefusal ? 'refused' : 'crashed', message: error instanceof Error ? `${error.constructor.name}: ${error.message}\n${error.stack}` : String(error)};
	}
}

parentPort.on('message', task => {
	parentPort.postMessage(answer(task));
});
parentPort.postMessage('ready');
