/**
A prober in its own sandbox, for one test.
*/

import {stepsOfPath} from '../../src/netfilter/path.js';
import {parseText} from '../../src/netfilter/rule-texts.js';
import type {Backend, RuleSet} from '../../src/netfilter/types.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import {LockFile} from '../../testbed/system/lock-file.js';
import {Prober, type ProbeAnswer, type ProberOptions} from '../../testbed/prober/prober.js';
import type {ProbeRequest} from '../../src/scenario/probe-spec.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {installRules} from '../../testbed/sandbox/install.js';
import {Sandbox} from '../../testbed/sandbox/sandbox.js';

/** What a test varies. `rules` is the text of a dump of IPv4's tables, or of native ones. */
export type ProberVariation = Partial<Pick<ProberOptions, 'backend' | 'families' | 'listening' | 'timeoutMs' | 'batchSize' | 'bufferBytes' | 'hasInvalid' | 'beforeRead'>> & {
	readonly rules?: string | undefined;
	/** Called with the sandbox before the prober is created. */
	readonly prepare?: (sandbox: Sandbox) => Promise<void>;
};

/** The default rules for a back end. */
function rulesFor(backend: Backend, families: ProberOptions['families']): ReturnType<typeof loadRuleInput> {
	return loadRuleInput({
		source: backend === 'nftables' ? 'release:1.30 --native-nftables' : 'release:1.30', source6: undefined, families, backend,
	});
}

/** Creates a sandbox with rules and a prober, and removes both afterwards. */
export async function withProber<T>({backend = 'iptables-nft', families = ['ipv4'], rules, prepare, ...options}: ProberVariation, act: (prober: Prober, context: {readonly sandbox: Sandbox; readonly ruleSet: RuleSet}) => Promise<T>): Promise<T> {
	await using sandbox = Sandbox.create();
	await sandbox.configure(defaultTopology);
	await using lockFile = await LockFile.create();
	const input = rulesFor(backend, families);
	const ruleSet = await installRules(sandbox.pod, {
		ruleSet: rules === undefined ? input.ruleSet : parseText({family: backend === 'nftables' ? null : 'ipv4', text: rules}), backend, families, lockFile: lockFile.path,
	});
	await sandbox.applyRouting(input.routing);
	await prepare?.(sandbox);
	await using prober = await Prober.create({
		sandbox, backend, families, ruleSet, ...options,
	});
	const result = await act(prober, {sandbox, ruleSet});
	return result;
}

/** A probe from the app to the remote host; tests override parts of it. */
export function request(id: number | string, other: Partial<Omit<ProbeRequest, 'id'>> = {}): ProbeRequest {
	return {
		id: String(id), from: 'pod', uid: 1000, gid: 1000, protocol: 'tcp', to: {address: '10.244.1.20', port: 8080}, ...other,
	};
}

/** The path of a probe in path notation; undefined if nothing was sent. */
export function pathOf({leg}: ProbeAnswer): string {
	return leg === undefined ? 'not sent' : stepsOfPath({legs: [leg]}).join(' > ');
}

/** All gaps of answers as sentences. */
export function gapsIn(answers: readonly ProbeAnswer[]): readonly string[] {
	return answers.flatMap(({id, gaps}) => gaps.map(({kind, message}) => `${id} ${kind}: ${message}`));
}
