/**
`testbed probe`: one connection, the way that it took, and why.
*/

import type {AddressFamily, Backend} from '../../../src/netfilter/types.js';
import {probeToJson} from '../../../src/report/probe/json.js';
import {printProbe} from '../../../src/report/probe/text.js';
import {exitStatusOfProbe, type ProbeQuestion, type ProbeReport} from '../../../src/report/probe/types.js';
import {
	fieldList, optionOf, type ProbeInput, type ProbeSpec,
} from '../../../src/scenario/probe-spec.js';
import type {Wording} from '../../../src/scenario/read-probe.js';
import type {ActorCredentials, Credentials} from '../../../src/scenario/types.js';
import {TestbedError} from '../../errors.js';
import type {RuleInput} from '../../inputs/types.js';
import {runProbe} from '../../probe/explain.js';
import {defaultInput} from '../../inputs/request.js';
import {loadRuleInput} from '../../inputs/rules.js';
import {writeOut} from '../../system/streams.js';
import {readerOf} from '../output/terminal.js';
import {readProbeOptions} from '../../inputs/probe-line.js';
import {supervise} from '../supervise.js';
import {type credentialsOf, usualCredentials, type DropFirst} from '../../inputs/credentials.js';
import type {RunFlags} from './run.js';

/** The options as the command line gives them. */
export type ProbeFlags = Pick<RunFlags, 'rules' | 'rules6' | 'dnsServers' | 'allowModules' | 'cni' | 'release' | 'proxyUid' | 'proxyGid' | 'agentUid' | 'agentGid' | 'timeout' | 'traceBuffer' | 'verbose'> & Partial<ProbeInput> & {
	readonly from: ProbeSpec['from'];
	readonly batch?: string;
	readonly follow?: boolean;
	readonly backend?: readonly Backend[];
	readonly firstLeg?: boolean;
	readonly format: 'text' | 'json';
};

/** How messages name what the command line says. */
const optionWording: Wording = {name: optionOf, given: (key, value) => `${optionOf(key)} ${String(value)}`};

/** What the options say of the probe, by key. */
function probeValuesOf(flags: ProbeFlags): Readonly<Record<string, unknown>> {
	return Object.fromEntries(fieldList.flatMap(({key, option}) => option === undefined ? [] : [[key, flags[key as keyof ProbeInput]]]));
}

/** Everybody's credentials: as of `run`, and the sender's as asked. A group that is not given follows its user. */
export function credentialsOfProbe({from, uid, gid, ...flags}: ProbeFlags, ...input: DropFirst<Parameters<typeof credentialsOf>>): ActorCredentials {
	const usual = usualCredentials(flags, ...input);
	const own = usual[from];
	const sender: Credentials = {uid: uid ?? own.uid, gid: gid ?? uid ?? own.gid};
	return {...usual, [from]: sender};
}

/**
The rules that a probe goes through.

@throws {TestbedError} USAGE for more than one back end, USAGE or INPUT for rules that cannot be had.
*/
export function rulesOfProbe({backend: backends = [], rules, rules6, dnsServers, cni, release, allowModules}: ProbeFlags, families: readonly AddressFamily[]): RuleInput {
	const [backend, ...others] = backends;
	if (others.length > 0) {
		throw new TestbedError('USAGE', {message: `A probe has one back end, and --backend names ${others.length + 1}.`, hint: 'Ask once for each.'});
	}

	return loadRuleInput({
		source: rules ?? defaultInput,
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
Asks the kernel and prints; returns the exit status.

@throws {TestbedError} USAGE or INPUT, and all that a run throws.
*/
export async function probeCommand(flags: ProbeFlags): Promise<number> {
	if (flags.from === 'proxy' && (flags.proxyUid !== undefined || flags.proxyGid !== undefined) && (flags.uid !== undefined || flags.gid !== undefined)) {
		throw new TestbedError('USAGE', {message: 'The proxy is the sender here, and --uid or --gid and --proxy-uid or --proxy-gid both say who it is.', hint: 'Leave one of the two out.'});
	}

	if (flags.follow === true) {
		throw new TestbedError('USAGE', {message: '--follow is for --batch: a single probe shows all legs, unless --first-leg is given.'});
	}

	if (flags.to === undefined) {
		throw new TestbedError('USAGE', {message: 'Where to? --to names one destination, --batch a file of many.', hint: 'For instance testbed probe --to 10.96.0.1:443'});
	}

	const {id: _, uid: _uid, gid: _gid, sourcePort: _port, packet: _packet, ...spec} = readProbeOptions(probeValuesOf(flags), optionWording);
	const rules = rulesOfProbe(flags, [spec.family]);
	const credentials = credentialsOfProbe(flags, rules.intent, rules.proxy);
	const question: ProbeQuestion = {...spec, credentials: credentials[spec.from]};
	const report = await supervise(async supervision => runProbe({
		question,
		rules,
		credentials,
		timeoutMs: flags.timeout,
		traceBufferBytes: flags.traceBuffer,
		isFirstLegOnly: flags.firstLeg === true,
		...supervision,
	}));
	const text = printAnswer(report, flags);
	await writeOut(text);
	return exitStatusOfProbe(report);
}

function printAnswer(report: ProbeReport, {format, verbose}: ProbeFlags): string {
	return format === 'json'
		? `${JSON.stringify(probeToJson(report), undefined, 2)}\n`
		: printProbe(report, readerOf({verbose}));
}
