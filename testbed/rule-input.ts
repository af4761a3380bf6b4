/**
What `--rules` names → rules and what they are meant to do. Nothing is installed before all of it has been understood.
*/

import {readFileSync} from 'node:fs';
import {parseAmbientInput, type AmbientOptions} from '../src/istio/ambient-options.js';
import {ambientRouting} from '../src/istio/ambient-routing.js';
import {
	parseReleaseInput, parseReleaseInputs, readSidecarArguments, type ReleaseInput,
} from '../src/istio/arguments.js';
import {generate} from '../src/istio/generate.js';
import {InputError} from '../src/istio/input-error.js';
import {ambientHostRuleSet, ambientRuleSet} from '../src/istio/iptables/ambient.js';
import {ambientHostNftRuleSet, ambientNftRuleSet} from '../src/istio/nftables/ambient.js';
import {podInput} from '../src/istio/pod/input.js';
import {parsePod, type Pod} from '../src/istio/pod/pod.js';
import {refusalOf} from '../src/istio/nftables/refusal.js';
import {
	findRelease, newestRelease, releaseLines,
} from '../src/istio/releases.js';
import {sidecarRouting, type SidecarRouting} from '../src/istio/routing.js';
import {tableFamily} from '../src/netfilter/built-in.js';
import {importRules, type Imported} from '../src/netfilter/import.js';
import {ParseError} from '../src/netfilter/parse-error.js';
import {printStep} from '../src/netfilter/path.js';
import {
	iptablesBackends, type AddressFamily, type Backend, type RuleSet,
} from '../src/netfilter/types.js';
import {
	intentOf, intentOfAmbient, intentOfRuleSet, unsupportedOptions,
} from '../src/scenario/intent.js';
import type {Credentials} from '../src/scenario/types.js';
import {TestbedError} from './errors.js';
import type {RuleInput} from './options.js';

/** The input that is meant without `--rules`. */
export const defaultInput = `release:${newestRelease.name}`;

/** What the command line says of rules. */
export type InputRequest = {
	readonly source: string;
	/** The IPv6 dump that belongs to a dump in `source`. */
	readonly source6?: string | undefined;
	readonly families: readonly AddressFamily[];
	/** The back ends asked for; undefined leaves it to the input. */
	readonly backends?: readonly Backend[] | undefined;
	/** The name servers of the pod's /etc/resolv.conf. */
	readonly dnsServers?: readonly string[] | undefined;
	/** For a pod manifest: its release where the manifest does not tell, and whether istio-cni writes the rules whatever it says. */
	readonly release?: string | undefined;
	readonly cni?: boolean | undefined;
	/** Rules that are only looked at may be ones that no type has an expectation for. */
	readonly isForShow?: boolean | undefined;
};

/** A rule set that was asked for and does not exist, with the reason. */
export type MissingInput = {readonly source: string; readonly release: string; readonly backend: Backend; readonly reason: string};

/** What an input came to: rule sets, and what was asked for and cannot be. */
export type LoadedInputs = {readonly inputs: readonly RuleInput[]; readonly missing: readonly MissingInput[]};

/**
Reads a rule input that stands for one rule set.

@throws {TestbedError} INPUT when it is not understood, USAGE when it stands for several.
*/
export function loadRuleInput({backend, ...request}: Omit<InputRequest, 'backends'> & {readonly backend?: Backend}): RuleInput {
	const {inputs, missing} = loadRuleInputs({...request, ...(backend === undefined ? {} : {backends: [backend]})});
	const [input] = inputs;
	if (input === undefined || inputs.length > 1) {
		throw new TestbedError('USAGE', {message: missing[0]?.reason ?? `${request.source} names ${inputs.length} rule sets; one is due here.`});
	}

	return input;
}

/**
Reads a rule input.

@throws {TestbedError} INPUT when it is not understood, with the line of a dump or the name of an option.
*/
export function loadRuleInputs(request: InputRequest): LoadedInputs {
	const {source, release, cni} = request;
	if (!source.startsWith('pod:') && (release !== undefined || cni === true)) {
		throw new TestbedError('USAGE', {message: `${cni === true ? '--cni' : '--release'} goes with pod:FILE; ${source} says itself how its rules come about.`});
	}

	try {
		return kindOf(source)(request);
	} catch (error) {
		if (error instanceof InputError || error instanceof ParseError) {
			throw new TestbedError('INPUT', {message: `--rules ${source}: ${error.message}`, state: 'Nothing was installed.', cause: error});
		}

		throw error;
	}
}

/** Who reads an input, by what it begins with. */
function kindOf(source: string): (request: InputRequest) => LoadedInputs {
	if (source.startsWith('pod:')) {
		return ofPod;
	}

	if (source.startsWith('ambient:') || source.startsWith('ambient-host:')) {
		return ofAmbient;
	}

	return /^(?:[A-Za-z_]\w*=\S* +)*release:/u.test(source) ? ofReleases : ofDump;
}

function ofReleases({source, source6, families, backends, dnsServers, isForShow}: InputRequest): LoadedInputs {
	if (source6 !== undefined) {
		throw new TestbedError('USAGE', {message: '--rules6 goes with a dump in --rules; a release writes the rules of both families itself.'});
	}

	const releases = parseReleaseInputs(source);
	const asked = backendsFor(releases, backends).flatMap(backend => releases.map(release => ({backend, release})));
	const cannot = asked.filter(({backend, release: {release}}) => backend === 'nftables' && !release.features.nativeNftables);
	if (cannot.length > 0 && releases.length === 1) {
		throw new TestbedError('INPUT', {message: `${source}: release ${releases[0]!.release.name} ${noNative()}`, state: 'Nothing was installed.', hint: 'Choose --backend iptables-nft or iptables-legacy.'});
	}

	return {
		inputs: asked.filter(entry => !cannot.includes(entry)).map(({backend, release}) => ofRelease(source, release, {
			families, backend, dnsServers, isForShow,
		})),
		missing: cannot.map(({backend, release: {release}}) => ({
			source, release: release.name, backend, reason: noNative(),
		})),
	};
}

/** The back ends asked for, or those that the input means: native where its flag is given; both of iptables for many releases, which are there for comparing; one for a single release, which is there for looking at. */
function backendsFor(releases: readonly ReleaseInput[], asked: readonly Backend[] | undefined): readonly Backend[] {
	if (releases.some(({native}) => native)) {
		const other = asked?.find(backend => backend !== 'nftables');
		if (other !== undefined) {
			throw new TestbedError('USAGE', {message: `--native-nftables writes native nft rules, and --backend asks for ${other}.`, hint: 'Leave one of the two out.'});
		}

		return ['nftables'];
	}

	return asked ?? (releases.length > 1 ? iptablesBackends : ['iptables-nft']);
}

function noNative(): string {
	const first = releaseLines.find(({features}) => features.nativeNftables);
	return `writes no native nftables rules${first === undefined ? '' : `; ${first.name} is the first that does`}.`;
}

function ofRelease(source: string, input: ReleaseInput, {families, backend, dnsServers, isForShow = false}: {
	readonly families: readonly AddressFamily[]; readonly backend: Backend; readonly dnsServers: readonly string[] | undefined; readonly isForShow?: boolean | undefined;
}): RuleInput {
	const unsupported = isForShow ? [] : unsupportedOptions(input.options);
	if (unsupported.length > 0) {
		throw new TestbedError('INPUT', {
			message: `${source}: the six types have no expectation for ${unsupported.join(', ')}.`,
			state: 'Nothing was installed.',
			hint: 'The rules themselves can be looked at: testbed rules',
		});
	}

	const options = dnsServers === undefined ? input.options : {...input.options, ...serversOf(dnsServers)};
	const {release} = input;
	const ruleSet = generate({
		release, options, families, backend,
	});
	const refusal = backend === 'nftables' ? refusalOf(ruleSet) : undefined;
	return {
		source,
		release: release.asked,
		backend,
		ruleSet,
		routing: sidecarRouting(options, families, release),
		warnings: refusal === undefined ? input.warnings : [...input.warnings, refusal],
		reference: ruleSet,
		intent: intentOf(options, release.features),
	};
}

/** A pod manifest: the rules come about as the manifest says, by the init container, by istio-cni or by the agent of ambient mode. */
function ofPod(request: InputRequest): LoadedInputs {
	const {source, families, release, cni = false} = request;
	const pod = parsePod(readSource(source.slice('pod:'.length)));
	const found = podInput(pod, {cni, ...(release === undefined ? {} : {release})});
	switch (found.kind) {
		case 'none': {
			throw new TestbedError('INPUT', {
				message: `${source}: no rules are written for ${found.workload}: ${found.reason}.`,
				state: 'Nothing was installed.',
				hint: 'A pod without rules has nothing to judge.',
			});
		}

		case 'ambient': {
			return withWarnings(ambientInputs(request, found), podWarnings(found, families));
		}

		case 'sidecar': {
			const known = findRelease(found.release);
			const asked: ReleaseInput = {release: known, ...readSidecarArguments({...found, release: known})};
			const inputs = backendsFor([asked], request.backends).map(backend => ofRelease(source, asked, {
				families, backend, dnsServers: request.dnsServers, isForShow: request.isForShow,
			}));
			const proxy = proxyOf(pod);
			return withWarnings({inputs: proxy === undefined ? inputs : inputs.map(input => ({...input, proxy})), missing: []}, podWarnings(found, families));
		}
	}
}

/** Who the container of the proxy runs as, where the manifest says so. A group that is not given is left to the image, whose users have groups of their own number. */
function proxyOf({containers, initContainers}: Pod): Credentials | undefined {
	const proxy = [...containers, ...initContainers].find(({name}) => name === 'istio-proxy');
	return proxy?.runAsUser === undefined ? undefined : {uid: proxy.runAsUser, gid: proxy.runAsGroup ?? proxy.runAsUser};
}

function podWarnings({warnings, families: found}: {readonly warnings: readonly string[]; readonly families: readonly AddressFamily[] | undefined}, asked: readonly AddressFamily[]): readonly string[] {
	const foreign = asked.filter(family => found?.includes(family) === false);
	return [...warnings, ...foreign.map(family => `The pod has no ${family} address, so in the cluster it gets no rules for ${family}; here it has one.`)];
}

function withWarnings({inputs, missing}: LoadedInputs, warnings: readonly string[]): LoadedInputs {
	return {inputs: inputs.map(input => ({...input, warnings: [...warnings, ...input.warnings]})), missing};
}

/** `ambient:1.30 --ingress`: what the agent writes in the pod. `ambient-host:` is what it writes on the node. */
function ofAmbient(request: InputRequest): LoadedInputs {
	const isHost = request.source.startsWith('ambient-host:');
	if (isHost && request.isForShow !== true) {
		throw new TestbedError('INPUT', {message: `${request.source}: these are the rules on the node, and the six types are a pod's traffic.`, state: 'Nothing was installed.', hint: 'Look at them with: testbed rules'});
	}

	const {release, options} = parseAmbientInput(request.source.replace(/^ambient-host:/u, 'ambient:'));
	return ambientInputs(request, {release, options, isHost});
}

function ambientInputs({source, families, backends = ['iptables-nft']}: InputRequest, {release, options, isHost = false}: {readonly release: string; readonly options: AmbientOptions; readonly isHost?: boolean}): LoadedInputs {
	const write = isHost ? {iptables: ambientHostRuleSet, nftables: ambientHostNftRuleSet} : {iptables: ambientRuleSet, nftables: ambientNftRuleSet};
	const inputs = backends.map((backend): RuleInput => {
		const ruleSet = (backend === 'nftables' ? write.nftables : write.iptables)(options, families);
		return {
			source, release, backend, ruleSet, reference: ruleSet, routing: isHost ? noRouting : ambientRouting(families), warnings: [], intent: intentOfAmbient(options),
		};
	});
	return {inputs, missing: []};
}

const noRouting: SidecarRouting = {loopbackAddresses: [], markRules: [], localRoutes: []};

function serversOf(servers: readonly string[]): Pick<ReleaseInput['options'], 'dnsServersV4' | 'dnsServersV6'> {
	return {dnsServersV4: servers.filter(server => !server.includes(':')), dnsServersV6: servers.filter(server => server.includes(':'))};
}

/** A dump of any kind: of iptables, an init container's log, or native nft. */
function ofDump({source, source6, families, backends}: InputRequest): LoadedInputs {
	const parts = importParts({source, source6, families});
	const isNative = parts.some(({kind}) => kind === 'nft' || kind === 'nft-json');
	const ruleSet: RuleSet = {tables: parts.flatMap(part => part.ruleSet.tables).filter(({family}) => family === 'inet' || families.some(wanted => tableFamily(wanted) === family))};
	const missing = families.filter(family => parts.every(part => !part.families.includes(family)));
	if (missing.length > 0 && parts.some(part => part.families.length > 0)) {
		throw missingFamily(source, missing);
	}

	const wanted = backends ?? [isNative ? 'nftables' as const : 'iptables-nft' as const];
	const foreign = wanted.find(backend => (backend === 'nftables') !== isNative);
	if (foreign !== undefined) {
		throw new TestbedError('USAGE', {message: `${source} holds ${isNative ? 'native nft rules' : 'rules of iptables'}, which --backend ${foreign} cannot install.`, hint: isNative ? 'Leave --backend out.' : 'Choose iptables-nft or iptables-legacy.'});
	}

	const intent = intentOfRuleSet(ruleSet);
	const {release, options: injected} = parseReleaseInput(defaultInput);
	const options = {...injected, inboundInterceptionMode: intent.inboundInterceptionMode, inboundTproxyMark: intent.inboundTproxyMark};
	const shared = {
		source,
		release: null,
		ruleSet,
		routing: intent.ambient === undefined ? sidecarRouting(options, families, release) : ambientRouting(families),
		warnings: [...parts.flatMap(({warnings}) => warnings), ...opaqueWarnings(parts)],
		lines: new Map(parts.flatMap(({lines}) => [...lines])),
		intent,
	};
	return {
		inputs: wanted.map((backend): RuleInput => ({
			...shared,
			backend,
			reference: generate({
				release, options, families, backend,
			}),
		})),
		missing: [],
	};
}

/** A single dump may be of either family or of both; two are of one each. */
function importParts({source, source6, families}: Pick<InputRequest, 'source' | 'source6' | 'families'>): readonly Imported[] {
	if (source6 !== undefined) {
		return [importRules(readSource(source), {family: 'ipv4'}), importRules(readSource(source6), {family: 'ipv6'})];
	}

	const [only, ...others] = families;
	return [importRules(readSource(source), only === 'ipv6' && others.length === 0 ? {family: 'ipv6'} : {})];
}

function missingFamily(source: string, missing: readonly AddressFamily[]): TestbedError {
	return missing.includes('ipv6')
		? new TestbedError('USAGE', {message: `${source} is an IPv4 dump, and IPv6 was asked for as well.`, hint: 'Add --rules6 FILE, or ask for --family ipv4.'})
		: new TestbedError('USAGE', {message: `${source} is an IPv6 dump, and IPv4 was asked for.`, hint: 'Ask for --family ipv6.'});
}

/** What is not understood is installed as it is, and named. */
function opaqueWarnings(parts: readonly Imported[]): readonly string[] {
	const opaque = parts.flatMap(part => part.opaque);
	return opaque.length === 0
		? []
		: [`Not understood in part, and installed as they are: ${opaque.map(({table, chain, number, parts: words}) => `${printStep(table, chain, number)} (${words.join('; ')})`).join(', ')}.`];
}

function readSource(source: string): string {
	const file = source === '-' ? 0 : source.replace(/^file:/u, '');
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		throw new TestbedError('INPUT', {
			message: `The rules in ${source} cannot be read: ${(error as Error).message}`,
			hint: 'A rule input is release:VERSION, ambient:VERSION, pod:FILE, a file with a dump, or - for standard input.',
			cause: error,
		});
	}
}
