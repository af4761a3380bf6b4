/**
`testbed probe`: one connection, the path that it took, and why.
*/

import {defaultBackend} from '../../../src/netfilter/backends.js';
import type {AddressFamily, Backend} from '../../../src/netfilter/types.js';
import {printBrief} from '../../../src/report/probe/brief.js';
import {probeToJson} from '../../../src/report/probe/json.js';
import {resultsOfProbe} from '../../../src/report/probe/results.js';
import {printProbe} from '../../../src/report/probe/text.js';
import {exitStatusOfProbe, type ProbeQuestion} from '../../../src/report/probe/types.js';
import {
	fieldList, needsProber, optionOf, socketOptionFields, type ProbeInput, type ProbeSpec,
} from '../../../src/scenario/probe-spec.js';
import type {Wording} from '../../../src/scenario/read-probe.js';
import type {ActorCredentials, Credentials} from '../../../src/mesh/traffic.js';
import {TestbedError} from '../../errors.js';
import type {RuleInput} from '../../inputs/types.js';
import {defaultTopology} from '../../../src/mesh/topology.js';
import {runProbe} from '../../probe/explain.js';
import {refuseForeignSource} from '../../probe/participants.js';
import {defaultInput, type InputRequest} from '../../inputs/request.js';
import {loadRuleInput} from '../../inputs/rules.js';
import {prepareRun} from '../../run/prepare.js';
import type {ShardFlags} from '../../shards/request.js';
import type {CapturedPackets} from '../../tracer/packet-capture.js';
import {
	Checks, isLeftUnread, refuseWithCheck, type CheckFlags,
} from '../check/checks.js';
import {endCheck, namesOf, rowsOfRules, unreadPod} from '../check/plan.js';
import {checkOutputFlags, ruleFiles} from '../output/output-files.js';
import {pcapOutput, writePcap} from '../output/write-pcap.js';
import type {PrintFlags} from '../output/destinations.js';
import {writeFormatted} from '../output/write-report.js';
import {readProbeOptions} from '../../inputs/probe-line.js';
import {supervise} from '../supervise.js';
import {type credentialsOf, usualCredentials, type DropFirst} from '../../inputs/credentials.js';
import {commandLine} from '../../system/program-name.js';
import type {RunFlags} from './run.js';

/** The options as the command line gives them. */
export type ProbeFlags = ShardFlags & CheckFlags & Pick<RunFlags, 'rules' | 'rules6' | 'dnsServers' | 'allowModules' | 'cni' | 'release' | 'proxyUid' | 'proxyGid' | 'agentUid' | 'agentGid' | 'timeout' | 'traceBuffer'> & PrintFlags & Partial<ProbeInput> & {
	readonly from: ProbeSpec['from'];
	readonly batch?: string;
	readonly follow?: boolean;
	readonly backend?: readonly Backend[];
	readonly firstLeg?: boolean;
	readonly pcap?: string;
	readonly brief?: boolean;
};

/** How messages name what the command line says. */
const optionWording: Wording = {name: optionOf, given: (key, value) => `${optionOf(key)} ${String(value)}`};

/** The values of the probe's options, by key. */
function probeValuesOf(flags: ProbeFlags): Readonly<Record<string, unknown>> {
	return Object.fromEntries(fieldList.flatMap(({key, option}) => option === undefined ? [] : [[key, flags[key as keyof ProbeInput]]]));
}

/** The credentials of all actors: those of `run`, with the sender's as requested. A group that is not given defaults to the user's number. */
export function credentialsOfProbe({from, uid, gid, ...flags}: ProbeFlags, ...input: DropFirst<Parameters<typeof credentialsOf>>): ActorCredentials {
	const usual = usualCredentials(flags, ...input);
	const own = usual[from];
	const sender: Credentials = {uid: uid ?? own.uid, gid: gid ?? uid ?? own.gid};
	return {...usual, [from]: sender};
}

/**
The rules that a probe goes through. `known` is the text of a dump, or what a live pod has, if it was read already.

@throws {TestbedError} USAGE for more than one back end, USAGE or INPUT for rules that cannot be loaded.
*/
export function rulesOfProbe({backend: backends = [], rules, rules6, dnsServers, cni, release, allowModules}: ProbeFlags, families: readonly AddressFamily[], known: Pick<InputRequest, 'text' | 'live'> = {}): RuleInput {
	const [backend, ...others] = backends;
	if (others.length > 0) {
		throw new TestbedError('USAGE', {message: `A probe runs on one back end, but --backend names ${others.length + 1}.`, hint: 'Run it once for each.'});
	}

	return loadRuleInput({
		source: rules ?? defaultInput,
		...known,
		source6: rules6,
		families,
		dnsServers,
		cni,
		release,
		allowModules,
		...(backend === undefined ? {} : {backend}),
	});
}

/**
Sends the probe and prints the result; returns the exit status.

@throws {TestbedError} USAGE or INPUT, and everything that a run throws.
*/
export async function probeCommand(flags: ProbeFlags): Promise<number> {
	refuseWithCheck(flags);
	const checks = new Checks(flags);
	checks.do(() => {
		refuseContradictions(flags);
	});
	const {family} = checks.do(() => readProbeOptions(probeValuesOf(flags), optionWording)) ?? {family: flags.family ?? 'ipv4'};
	checks.do(() => {
		checkOutputFlags(flags, ruleFiles([['--rules', flags.rules], ['--rules6', flags.rules6]]), pcapOutput(flags.pcap));
	});
	const source = flags.rules ?? defaultInput;
	const isUnread = checks.do(() => isLeftUnread(source, checks));
	if (!checks.isOnly) {
		prepareRun(flags.backend?.[0] ?? defaultBackend);
	}

	const rules = isUnread === true ? undefined : checks.do(() => rulesOfProbe(flags, [family]));
	const spec = checks.do(() => specOf(flags, rules?.topology));
	checks.end();
	if (checks.isOnly) {
		return endCheck({
			command: 'probe',
			rows: [
				['probe', `${spec!.from} to ${spec!.asked}${rules === undefined ? '' : `, as UID ${credentialsOfProbe(flags, rules.intent, rules)[spec!.from].uid}`}`],
				...(rules === undefined ? [['rule sets', `1: ${source}`] as const, ['families', namesOf([family])] as const] : rowsOfRules([rules], [family])),
			],
			inputs: rules === undefined ? [] : [rules],
			unknown: rules === undefined ? [unreadPod(source)] : [],
		});
	}

	return sendProbe(spec!, rules!, flags);
}

/** @throws {TestbedError} USAGE for options that cannot be used together. */
function refuseContradictions(flags: ProbeFlags): void {
	if (flags.from === 'proxy' && (flags.proxyUid !== undefined || flags.proxyGid !== undefined) && (flags.uid !== undefined || flags.gid !== undefined)) {
		throw new TestbedError('USAGE', {message: 'The sender is the proxy, so --uid or --gid conflicts with --proxy-uid or --proxy-gid.', hint: 'Use one or the other.'});
	}

	if (flags.shard !== undefined || flags.shardOutput !== undefined || flags.shardTimes !== undefined) {
		throw new TestbedError('USAGE', {message: 'A single probe cannot be cut into shards.', state: 'Nothing was run.', hint: 'Shards work with --batch.'});
	}

	if (flags.follow === true) {
		throw new TestbedError('USAGE', {message: '--follow works only with --batch: a single probe already shows all legs, unless --first-leg is given.'});
	}

	if (flags.brief === true && (flags.format !== 'text' || flags.verbose === true)) {
		throw new TestbedError('USAGE', {message: `--brief prints one line of text, so ${flags.verbose === true ? '--verbose' : `the format ${flags.format}`} cannot be used with it.`, hint: 'Omit one of the two.'});
	}

	if (flags.to === undefined) {
		throw new TestbedError('USAGE', {message: 'No destination: use --to for one probe, or --batch for a file of them.', hint: `For example: ${commandLine('probe --to 10.96.0.1:443')}`});
	}
}

type Sent = Omit<ProbeSpec, 'id' | 'uid' | 'gid' | 'sourcePort' | 'packet'>;

/**
What is to be sent.

@throws {TestbedError} USAGE for a value that is invalid in a topology.
*/
function specOf(flags: ProbeFlags, topology = defaultTopology): Sent {
	const {id: _, uid: _uid, gid: _gid, sourcePort: _port, packet: _packet, ...spec} = readProbeOptions(probeValuesOf(flags), optionWording, topology);
	refuseForeignSource(spec, topology);
	if (flags.pcap !== undefined && needsProber(spec)) {
		throw new TestbedError('USAGE', {message: '--pcap captures connections, but this probe is a single packet: it needs a socket option that actors do not set.', hint: `Omit --pcap, or ${socketOptionFields.filter(({name}) => spec[name] !== undefined).map(({name}) => optionOf(name)).join(' and ')}.`});
	}

	return spec;
}

async function sendProbe(spec: Sent, rules: RuleInput, flags: ProbeFlags): Promise<number> {
	let captured: CapturedPackets | undefined;
	const credentials = credentialsOfProbe(flags, rules.intent, rules);
	const question: ProbeQuestion = {...spec, credentials: credentials[spec.from]};
	const report = await supervise(async supervision => runProbe({
		question,
		rules,
		credentials,
		timeoutMs: flags.timeout,
		traceBufferBytes: flags.traceBuffer,
		isFirstLegOnly: flags.firstLeg === true,
		...(flags.pcap === undefined
			? {}
			: {
				onCapture(packets) {
					captured = packets;
				},
			}),
		...supervision,
	}));
	await writeFormatted({
		text: reader => flags.brief === true ? printBrief(report) : printProbe(report, reader),
		json: () => probeToJson(report),
		results: () => resultsOfProbe(report),
		// An answer is printed in any case.
		status: () => 1,
	}, flags);
	if (flags.pcap !== undefined) {
		await writePcap(flags.pcap, captured, {connections: [{name: `probe ${spec.from} to ${spec.asked}`, legs: report.legs}], about: `${report.rules.source}, ${report.rules.backend}`});
	}

	return exitStatusOfProbe(report);
}
