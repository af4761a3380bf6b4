/**
What is asked of rules, and what it comes to: the words that all kinds of rule inputs share.
*/

import {newestRelease} from '../../src/istio/releases.js';
import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import type {RuleInput} from './types.js';
import {readText} from './read-text.js';
import {likelySource} from './source.js';

/** The input that is meant without `--rules`. */
export const defaultInput = `release:${newestRelease.name}`;

/** What the command line says of rules. */
export type InputRequest = {
	readonly source: string;
	/** What a dump says, where somebody has read it already; `source` is then only its name. */
	readonly text?: string | undefined;
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
	/** Whether rules may name matches and targets that are not known here. Those that no tool will get may. */
	readonly allowModules?: boolean | undefined;
};

/** A rule set that was asked for and does not exist, with the reason. */
export type MissingInput = {readonly source: string; readonly release: string; readonly backend: Backend; readonly reason: string};

/** What an input came to: rule sets, and what was asked for and cannot be. */
export type LoadedInputs = {readonly inputs: readonly RuleInput[]; readonly missing: readonly MissingInput[]};

/**
The text of a file, or of standard input.

@throws {TestbedError} INPUT when it cannot be read or is no text, USAGE for an empty name.
*/
export function readSource(source: string, option = '--rules'): string {
	const likely = likelySource(source);
	return readText({
		file: source === '-' ? source : source.replace(/^file:/u, ''),
		what: 'The rules',
		option,
		hint: `${likely === undefined ? '' : `Did you mean ${likely}? `}A rule input is release:VERSION, ambient:VERSION, pod:FILE, a file with a dump, or - for standard input.`,
		hasColors: true,
	});
}
