/**
The worker that reads spoiled inputs. It answers each with `read`, `refused` (an error that the testbed throws on purpose, with a message), `wrong` (an answer that a law forbids) or `crashed`.
*/

import {Buffer} from 'node:buffer';
import {createHash} from 'node:crypto';
import {parentPort} from 'node:worker_threads';
import {gzipSync} from 'node:zlib';
import {
	importRules, meshes, parseBaseline, parseLesson, parseNft, parsePod, parseSave, parseScenario, printBaseline, printNft, printSave, reportToJson,
} from '../../dist/src/index.js';
import {decodeDatagram} from '../../dist/src/trace/decode/decode.js';
import {replay} from '../../dist/testbed/recording/replay.js';
import {mustReadAgain, WrongAnswer} from './laws.mjs';

/** The errors by which readers refuse, by the name of their class. Any other is a fault. */
const refusals = new Set(['InputError', 'ParseError', 'RuleSyntaxError', 'JsonShapeError', 'LoadedRulesError', 'NetlinkFormatError', 'ProbeFault', 'TestbedError']);

function reseal(body) {
	const seal = JSON.stringify({sha256: createHash('sha256').update(body).digest('hex')});
	return gzipSync(Buffer.concat([body, Buffer.from(`${seal}\n`)]));
}

function readRules(text) {
	const {kind, ruleSet, families} = importRules(text);
	if (kind === 'nft' || kind === 'nft-json') {
		mustReadAgain(printNft, parseNft, ruleSet);
		return;
	}

	for (const family of families) {
		mustReadAgain(rules => printSave(rules, family), printed => parseSave(printed, family), ruleSet);
	}
}

function passesOf(bytes) {
	const replayed = replay(bytes, 'spoiled.testbed');
	const reports = replayed.what === 'run' ? [replayed.report] : replayed.runs.entries.filter(({kind}) => kind === 'report').map(({report}) => report);
	return reports.flatMap((report, index) => reportToJson(report).types.filter(({outcome}) => outcome === 'pass').map(({id, family, stops, path}) => ({at: `${index} ${id} ${family}`, paths: JSON.stringify({stops, path})})));
}

/** The paths of an unspoiled recording, by its text. */
const pathsOf = new Map();

/** Spoiled evidence may prove less than the evidence that it was made from, but nothing else. */
function readTrace(body, original) {
	const text = original.toString('latin1');
	if (!pathsOf.has(text)) {
		pathsOf.set(text, new Map(passesOf(reseal(original)).map(({at, paths}) => [at, paths])));
	}

	for (const {at, paths} of passesOf(reseal(body))) {
		if (pathsOf.get(text).get(at) !== paths) {
			throw new WrongAnswer(`${at} passes by another path than its evidence says: ${paths}`);
		}
	}
}

const readers = {
	rules: bytes => readRules(bytes.toString('utf8')),
	scenario: bytes => parseScenario(bytes.toString('utf8'), meshes),
	pod: bytes => parsePod(bytes.toString('utf8')),
	lesson: bytes => parseLesson(bytes.toString('utf8'), '01-lesson.md'),
	baseline: bytes => mustReadAgain(printBaseline, parseBaseline, parseBaseline(bytes.toString('utf8'))),
	recording: bytes => replay(bytes, 'spoiled.testbed'),
	evidence: bytes => replay(reseal(bytes), 'spoiled.testbed'),
	trace: (bytes, original) => readTrace(bytes, original),
	datagram: bytes => [decodeDatagram({stream: 'nft', bytes}), decodeDatagram({stream: 'nflog', bytes})],
};

function answer({kind, bytes, original}) {
	try {
		readers[kind](Buffer.from(bytes), Buffer.from(original));
		return {outcome: 'read', message: ''};
	} catch (error) {
		if (error instanceof WrongAnswer) {
			return {outcome: 'wrong', message: error.message};
		}

		const isRefusal = error instanceof Error && refusals.has(error.constructor.name) && error.message !== '' && error.code !== 'INTERNAL';
		return {outcome: isRefusal ? 'refused' : 'crashed', message: error instanceof Error ? `${error.constructor.name}: ${error.message}\n${error.stack}` : String(error)};
	}
}

parentPort.on('message', task => {
	parentPort.postMessage(answer(task));
});
parentPort.postMessage('ready');
