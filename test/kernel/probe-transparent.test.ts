/** TPROXY and ambient mode by the prober: the same paths as the actors' connections, on all back ends and in both families; and missing evidence is noticed. */

import test from 'ava';
import {stepsOfPath, stopsOfPath, type Leg} from '../../src/netfilter/path.js';
import {backends, type AddressFamily, type Backend} from '../../src/netfilter/types.js';
import type {ProbeQuestion} from '../../src/report/probe/types.js';
import {addressFamilies, defaultTopology} from '../../src/mesh/topology.js';
import type {ActorCredentials, ActorName, Credentials} from '../../src/mesh/traffic.js';
import {usualCredentials} from '../../testbed/inputs/credentials.js';
import type {RuleInput} from '../../testbed/inputs/types.js';
import {ProberSandbox} from '../../testbed/probe/prober-sandbox.js';
import {sendQuestions} from '../../testbed/probe/explain.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {ActorSandbox} from '../../testbed/run/actor-sandbox.js';
import {optionsOf} from './_run.js';

const {places, ports, resolver} = defaultTopology;

/** Who asks for what; the addresses are those of the family. */
const askings: ReadonlyArray<readonly [from: ActorName, place: keyof typeof places | 'resolver', port: number]> = [
	['remote', 'pod', ports.app],
	['remote', 'pod', 9090],
	['remote', 'pod', ports.metrics],
	['remote', 'pod', 15_008],
	['remote', 'pod', ports.health],
	['remote', 'pod', 15_001],
	['remote', 'pod', 15_006],
	['app', 'pod', 15_006],
	['app', 'localhost', 15_001],
	['app', 'remote', 15_001],
	['app', 'remote', 15_006],
	['app', 'remote', ports.metrics],
	['app', 'remote', ports.health],
	['proxy', 'pod', 15_001],
	['prometheus', 'pod', ports.app],
	['prometheus', 'pod', ports.metrics],
	['app', 'remote', ports.remote],
	['app', 'remote', 9999],
	['app', 'vip', ports.service],
	['app', 'remote-vip', ports.service],
	['app', 'pod', ports.app],
	['app', 'localhost', ports.app],
	['app', 'resolver', 53],
	['proxy', 'pod', ports.app],
	['proxy', 'localhost', ports.app],
	['proxy', 'remote', ports.remote],
	['agent', 'istiod', ports.istiod],
];

function questionsOf(family: AddressFamily, credentials: ActorCredentials): readonly ProbeQuestion[] {
	return askings.map(([from, place, port]) => ({
		from, credentials: credentials[from], asked: `${place}:${port}`, to: {address: (place === 'resolver' ? resolver : places[place])[family], port}, source: undefined, family, protocol: 'tcp',
	}));
}

/** How it ended, as far as both tell: the actors do not say whether somebody would have listened. */
function summaryOf(legs: readonly Leg[], isLoop: boolean, gaps: readonly unknown[]) {
	return {
		path: stepsOfPath({legs}), stops: stopsOfPath({legs}), end: legs.at(-1)?.end.kind, froms: legs.slice(1).map(({from}) => from.address), isLoop, gaps,
	};
}

async function byActors(rules: RuleInput, credentials: ActorCredentials, questions: readonly ProbeQuestion[]) {
	const options = optionsOf({rules, credentials, timeoutMs: 4000});
	await using sandbox = await ActorSandbox.create({
		mesh: rules.mesh,
		intent: rules.intent,
		types: [],
		credentials,
		timeoutMs: 4000,
		actorSet: rules.mesh.traffic.actors({
			topology: defaultTopology, intent: rules.intent, names: ['proxy', 'app', 'remote', 'istiod', 'agent', 'prometheus'], credentials, withDns: true,
		}),
	});
	const reports = await sendQuestions(sandbox, {
		...options, questions, isFirstLegOnly: false,
	});
	return reports.map(({legs, loop, gaps}) => summaryOf(legs, loop, gaps));
}

async function byProber(rules: RuleInput, credentials: ActorCredentials, questions: readonly ProbeQuestion[], families: readonly AddressFamily[]) {
	await using sandbox = await ProberSandbox.createWith(rules, credentials, {families, timeoutMs: 1000, traceBufferBytes: 1 << 26});
	const probeResults = await sandbox.send(questions.map(({from, asked, to, family}) => ({
		from, asked, to, family, protocol: 'tcp',
	})), {follow: true});
	return probeResults.map(({legs, isLoop, gaps}) => summaryOf(legs, isLoop, gaps));
}

function rulesOf(source: string, backend: Backend, family: AddressFamily): RuleInput {
	return loadRuleInput({
		source: backend === 'nftables' && source.startsWith('release') ? `${source} --native-nftables` : source, source6: undefined, families: [family], backend,
	});
}

/** Rules, and who the proxy is where it is not who it usually is. */
const ruleSets: ReadonlyArray<readonly [source: string, proxy?: Credentials]> = [
	['release:1.30 -m TPROXY'],
	['release:1.24 -m TPROXY'],
	['release:1.30 -m TPROXY --redirect-dns'],
	['release:1.30 -m TPROXY', {uid: 1337, gid: 1337}],
	['ambient:1.30'],
];

for (const [source, proxy] of ruleSets) {
	for (const backend of backends) {
		for (const family of addressFamilies) {
			if (backend === 'nftables' && source.startsWith('release:1.24')) {
				continue; // Istio writes native rules since 1.27.
			}

			// The rule for the hairpin redirects what such a proxy carries on to itself, and the answer leaves the pod (IPv4).
			const isAstray = proxy !== undefined && family === 'ipv4';
			test.serial(`${source}${proxy === undefined ? '' : ` as ${proxy.uid}:${proxy.gid}`}, ${backend}, ${family}: the prober's ways are the actors'`, async t => {
				const rules = rulesOf(source, backend, family);
				const credentials = {...usualCredentials({}, rules.intent, rules), ...(proxy === undefined ? {} : {proxy})};
				const questions = questionsOf(family, credentials);
				const [actors, prober] = [await byActors(rules, credentials, questions), await byProber(rules, credentials, questions, [family])];
				t.true(prober.some(({stops}) => stops.length > 1));
				for (const [index, {from, asked}] of questions.entries()) {
					// Where the answer goes astray, the actors wait for an end in vain; the prober knows how far the packet came.
					const {gaps, ...seen} = prober[index]!;
					const {gaps: missing, ...actorRun} = actors[index]!;
					t.deepEqual(gaps, [], `${from} → ${asked}`);
					t.deepEqual(seen, actorRun, `${from} → ${asked}`);
					t.is(missing.length > 0, isAstray && from !== 'app' && from !== 'agent' && seen.end === 'unknown', `${from} → ${asked}: ${JSON.stringify(missing)}`);
				}
			});
		}
	}
}
