/**
Makes the recordings in test/recordings: the raw output of the kernel and its tools in one round of the testbed. Tests replay them without a kernel.
*/

import {Buffer} from 'node:buffer';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {parseArgs} from 'node:util';

const root = path.resolve(import.meta.dirname, '..');
const target = path.join(root, 'test/recordings');
const sizeMax = 200_000;
const release = 'release:1.30';
const families = ['ipv4', 'ipv6'];
const help = `Usage: npm run record [-- [--output FOLDER] NAME ...]

Runs the types of traffic once on this machine's kernel, and writes the results
to test/recordings/NAME.json: raw netlink datagrams (base64), the tools' listings
before and after, sockets, interfaces, the paths that the testbed derived from
them, and the versions of the kernel and the tools. Needs root, and a compiled
project (npm run build).

Names (default: all): BACKEND-FAMILY; for back ends whose rules are those of
iptables also with the suffix -mixed, for rules in other tables too.

--output FOLDER writes to another folder.

Then review the diff with git, and run: npm test unit`;

/** Separate tables with what a sidecar's rules never do: chains that end without a verdict, goto, return, drop, reject, policies, marks. */
const mixedTables = `
*raw
-A OUTPUT -p tcp -m tcp --dport 1 -j DROP
COMMIT
*mangle
-N MARKS
-A OUTPUT -j MARKS
-A MARKS -p tcp -j MARK --set-xmark 0x0/0x0
-A MARKS -p udp -j RETURN
COMMIT
*filter
-N BACK
-N CHECK
-A INPUT -p tcp -m tcp --dport 15090 -i eth0 -j REJECT --reject-with tcp-reset
-A OUTPUT -j BACK
-A OUTPUT -g CHECK
-A BACK -o lo -j RETURN
-A BACK -p tcp -m tcp --dport 1
-A CHECK -p tcp -m tcp --dport 15012 -j DROP
-A CHECK -o lo -p tcp -j ACCEPT
COMMIT
`;

const module = name => import(path.join(root, 'dist', name));

/** Runs programs in a namespace and keeps their output. */
function listening(netns, printed) {
	return {
		async runConfined(file, given, options) {
			const stdout = await netns.runConfined(file, given, options);
			printed[file] = stdout;
			return stdout;
		},
	};
}

async function runOnce({backend, family, isMixed}, hold) {
	const [{parseReleaseInput}, {generate}, {intentOf}, {istioTraffic, sixTypes, typeIds}, {actorsFor}, {defaultTopology: topology}, {parseSave}, {stepsOfPath}] = await Promise.all([
		module('src/istio/options/arguments.js'), module('src/istio/generate.js'), module('src/istio/intent.js'), module('src/istio/traffic/six-types.js'), module('src/mesh/traffic-types.js'), module('src/mesh/topology.js'), module('src/netfilter/iptables/save.js'), module('src/netfilter/path.js'),
	]);
	const [{ActorGroup}, {credentialsOf}, {loadEnvironment}, {LockFile}, {observeRound, sendRound, readRound}] = await Promise.all([
		module('testbed/actors/actor-group.js'), module('testbed/inputs/credentials.js'), module('testbed/confinement/environment.js'), module('testbed/system/lock-file.js'), module('testbed/run/round.js'),
	]);
	const [{installAndReadBack}, {loadKernelTexts}, {Sandbox}, {NetlinkTraceSource}, {TraceSwitch}] = await Promise.all([
		module('testbed/sandbox/install.js'), module('testbed/tracer/counters.js'), module('testbed/sandbox/sandbox.js'), module('testbed/tracer/netlink-source.js'), module('testbed/tracer/trace-switch.js'),
	]);
	const input = parseReleaseInput(release);
	const sidecar = generate({...input, families: [family], backend});
	const others = isMixed ? parseSave(mixedTables, family).tables : [];
	const intent = intentOf(input);
	const credentials = credentialsOf({proxyUid: 1337, appUid: 1000}, intent);
	const cases = sixTypes({
		intent, actors: credentials, topology, family, ids: typeIds,
	});
	const lockFile = hold(await LockFile.create());
	const sandbox = hold(Sandbox.create());
	const {pod} = sandbox;
	const place = {backend, families: [family], lockFile: lockFile.path};
	await sandbox.configure(topology);
	const {ruleSet, texts: [saved]} = await installAndReadBack(pod, {...place, ruleSet: {tables: [...sidecar.tables, ...others]}});
	const source = hold(new NetlinkTraceSource(pod, new TraceSwitch(pod), {backend}));
	await source.start();
	const actorGroup = hold(await ActorGroup.start({
		// A dropped first packet is retransmitted after a second: the mixed rounds show one retransmission.
		sandbox,
		topology,
		intent,
		actorSet: istioTraffic.actors({
			topology, intent, names: actorsFor(istioTraffic, intent, typeIds), credentials,
		}),
		timeoutMs: isMixed ? 1500 : 5000,
	}));
	const states = [];
	const loadState = async () => {
		const printed = {};
		states.push(printed);
		return loadKernelTexts(listening(pod, printed), place);
	};

	const before = await loadState();
	const evidence = await sendRound(cases, {
		source, before, loadState, pod, actorGroup, round: 1, untilAborted: async act => act,
	});
	const round = readRound(evidence, backend);
	const {recording, sockets, probes, interfaces} = round;
	const observations = observeRound(round, ruleSet);
	const gaps = observations.flatMap(observation => observation.gaps);
	if (gaps.length > 0) {
		throw new Error(`A recording with gaps proves nothing, so nothing was written:\n${gaps.map(({kind, message}) => `${kind}: ${message}`).join('\n')}`);
	}

	return {
		environment: await loadEnvironment(backend),
		rules: isMixed ? `${release} and tables of our own` : release,
		backend,
		family,
		saved: saved.text.split('\n'),
		before: states[0],
		after: states[1],
		interfaces: [...interfaces].toSorted(([one], [other]) => one - other),
		probes,
		paths: observations.map(({path: observed}) => stepsOfPath(observed).join(' > ')),
		sockets,
		overruns: recording.overruns,
		datagrams: recording.datagrams.map(({stream, bytes}) => [stream, Buffer.from(bytes).toString('base64')]),
	};
}

/** A replacement for `await using`, which Node 20 does not parse: disposes of everything in reverse order, also after an error. */
async function record(options) {
	const made = [];
	try {
		return await runOnce(options, one => {
			made.unshift(one);
			return one;
		});
	} finally {
		for (const one of made) {
			await one[Symbol.asyncDispose](); // eslint-disable-line no-await-in-loop -- Each depends on the ones before it.
		}
	}
}

/** One line for each element of a list, so that a difference shows what changed. */
function print(recording) {
	const fields = Object.entries(recording).map(([name, value]) => {
		const text = Array.isArray(value) ? `[\n${value.map(element => `\t\t${JSON.stringify(element)}`).join(',\n')}\n\t]` : JSON.stringify(value);
		return `\t${JSON.stringify(name)}: ${text}`;
	});
	return `{\n${fields.join(',\n')}\n}\n`;
}

/** All recordings by name. */
async function recordingsByName() {
	const [{languageOf}, {backends}] = await Promise.all([module('src/netfilter/backends.js'), module('src/netfilter/types.js')]);
	return new Map(backends.flatMap(backend => families.flatMap(family => [
		[`${backend}-${family}`, {backend, family, isMixed: false}],
		...(languageOf(backend) === 'iptables' ? [[`${backend}-${family}-mixed`, {backend, family, isMixed: true}]] : []),
	])));
}

async function main(given, folder) {
	const recordings = await recordingsByName();
	const unknown = given.filter(name => !recordings.has(name));
	if (unknown.length > 0) {
		console.error(`There is no recording ${unknown.join(', ')}. Names: ${[...recordings.keys()].join(', ')}.`);
		return 2;
	}

	fs.mkdirSync(folder, {recursive: true});
	for (const name of given.length > 0 ? given : recordings.keys()) {
		const recording = await record(recordings.get(name)); // eslint-disable-line no-await-in-loop -- One at a time: a busy machine would only cause retransmissions.
		const text = print(recording);
		if (text.length > sizeMax) {
			throw new Error(`The recording ${name} has ${text.length} bytes; ${sizeMax} is the limit.`);
		}

		fs.writeFileSync(path.join(folder, `${name}.json`), text);
		console.log(`${name}: ${recording.datagrams.length} datagrams, ${text.length} bytes`);
	}

	return 0;
}

const {values: {help: isHelpWanted, output}, positionals} = parseArgs({options: {help: {type: 'boolean'}, output: {type: 'string', default: target}}, allowPositionals: true});
if (isHelpWanted) {
	console.log(help);
} else {
	process.exitCode = await main(positionals, output);
}
