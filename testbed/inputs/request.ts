/**
A request for rules and its result: the types that all kinds of rule inputs share.
*/

import {newestRelease} from '../../src/istio/releases.js';
import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import type {ClusterChoices, ClusterPod} from '../kubernetes/cluster-pod.js';
import type {LivePod} from '../live/live-pod.js';
import type {RuleInput} from './types.js';
import {readText} from './read-text.js';
import {likelySource} from './source.js';

/** The default of `--rules`. */
export const defaultInput = `release:${newestRelease.name}`;

/** The names of the options (or argument) for a dump and its IPv6 dump, for messages. */
export type InputOptions = {readonly rules: string; readonly rules6: string};

/** Those of `run` and `probe`. */
export const usualOptions: InputOptions = {rules: '--rules', rules6: '--rules6'};

/** Those of the commands whose argument is the input. */
export const argumentOptions: InputOptions = {rules: 'the input', rules6: '--rules6'};

/** What the command line says about rules. */
export type InputRequest = {
	readonly source: string;
	/** The text of a dump that was already read; `source` is then only its name. */
	readonly text?: string | undefined;
	/** What was already read of a live pod; `source` is then only its name. */
	readonly live?: LivePod | undefined;
	/** For a pod of a cluster: how to reach it (default: what the command line says), and what was already read of it. */
	readonly cluster?: ClusterChoices | undefined;
	readonly clusterPod?: ClusterPod | undefined;
	/** The IPv6 dump that belongs to a dump in `source`. */
	readonly source6?: string | undefined;
	/** The names of the two on the command line, for messages: `--rules` and `--rules6` by default. */
	readonly options?: InputOptions | undefined;
	readonly families: readonly AddressFamily[];
	/** The requested back ends; undefined leaves it to the input. */
	readonly backends?: readonly Backend[] | undefined;
	/** The name servers of the pod's /etc/resolv.conf. */
	readonly dnsServers?: readonly string[] | undefined;
	/** For a pod manifest: its release if the manifest does not tell, and whether istio-cni writes the rules regardless of the manifest. */
	readonly release?: string | undefined;
	readonly cni?: boolean | undefined;
	/** Whether the rules are not tested with types, so they may have options that no type has an expectation for. */
	readonly isForShow?: boolean | undefined;
	/** Whether the rules are only printed, so they may be those of a node. */
	readonly isForPrint?: boolean | undefined;
	/** Whether rules may use unknown matches and targets. Rules that are never passed to a tool may. */
	readonly allowModules?: boolean | undefined;
};

/** A requested rule set that does not exist, with the reason. */
export type MissingInput = {readonly source: string; readonly release: string; readonly backend: Backend; readonly reason: string};

/** The result of loading an input: rule sets, and those that do not exist. */
export type LoadedInputs = {readonly inputs: readonly RuleInput[]; readonly missing: readonly MissingInput[]};

/**
The text of a file, or of standard input.

@throws {TestbedError} INPUT if it cannot be read or is not text, USAGE for an empty name.
*/
export function readSource(source: string, option = '--rules'): string {
	const likely = likelySource(source);
	return readText({
		file: source === '-' ? source : source.replace(/^file:/u, ''),
		what: 'The rules',
		option,
		hint: `${likely === undefined ? '' : `Did you mean ${likely}? `}Rules can be release:VERSION, ambient:VERSION, pod:FILE, a dump file, - for standard input, or those of a live pod: netns:NAME, pid:PID, container:ID, kubectl:NAMESPACE/POD.`,
		hasColors: true,
	});
}
