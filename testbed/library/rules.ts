/**
Rules for the library: everything that a rule input of the command line can be, and text.
*/

import {flag, someText} from '../../src/parsing/schema.js';
import {backends, type AddressFamily, type Backend} from '../../src/netfilter/types.js';
import type {RuleInput} from '../inputs/types.js';
import type {RecordOptions} from '../analysis/record-baseline.js';
import {defaultInput} from '../inputs/request.js';
import {isDump} from '../inputs/source.js';
import {loadRuleInput} from '../inputs/rules.js';
import {
	address, anyOf, backend, badArgument, checkOptions, families, type ShapeOf,
} from './check.js';

/** What goes with a rule input. */
export type RuleChoices = {
	/** Default: both for a release, an ambient pod or a manifest; IPv4 for a dump without `source6`. */
	readonly families?: readonly AddressFamily[];
	/** Default: the input's own; iptables-nft. */
	readonly backend?: Backend;
	/** The name servers of the pod's resolv.conf, for DNS capture. */
	readonly dnsServers?: readonly string[];
	/** The file with the IPv6 dump that belongs to a dump. */
	readonly source6?: string;
	/** For a manifest whose images name no release: the release. Default: the newest one known. */
	readonly release?: string;
	/** Takes rules with matches and targets that are not known here: iptables loads a library, and the kernel a module, of each such name. Default: false. */
	readonly allowModules?: boolean;
};

/** Rules, the families that they are of, and what else they were read with. */
export type LoadedRules = RuleInput & {readonly families: readonly AddressFamily[]; readonly request: RecordOptions['request']};

const shape: ShapeOf<RuleChoices> = {
	families, backend, dnsServers: anyOf(address, 'addresses'), source6: someText, release: someText, allowModules: flag,
};

const expectedRules = `expected rules: a string such as "${defaultInput}", or what loadRules or parseRules gave`;

/**
Loads a rule input: `release:1.30`, `'release:1.30 --redirect-dns'`, `ambient:1.30`, `pod:pod.yaml`, or a file with a dump; without one, the newest release. Nothing is installed.

```
const rules = loadRules('release:1.30 --redirect-dns', {backend: 'nftables'});
```

@throws {TestbedError} INPUT when it is not understood, USAGE when it stands for several rule sets, is undefined or null although it was given, and for a choice that is none.
*/
export function loadRules(...given: readonly [source?: string, choices?: RuleChoices]): LoadedRules {
	const [source, choices = {}] = given.length === 0 ? [defaultInput] : given;
	if (typeof source !== 'string') {
		throw badArgument('loadRules: source', source, `expected a string such as "${defaultInput}"; leave the argument out for the newest release`);
	}

	checkOptions<RuleChoices>(choices, 'loadRules: choices', shape);
	return load({source}, {families: isDump(source) && choices.source6 === undefined ? ['ipv4'] : ['ipv4', 'ipv6'], ...withoutUndefined(choices)});
}

/**
Reads a dump from text: of iptables-save, of nft, or an init container's log. `name` is for messages.

```
const rules = parseRules(await myGenerator(), {name: 'ours'});
```

@throws {TestbedError} INPUT with the line that is not understood; USAGE for what is no text, and for a choice that is none.
*/
export function parseRules(text: string, choices: RuleChoices & {readonly name?: string} = {}): LoadedRules {
	if (typeof text !== 'string') {
		throw badArgument('parseRules: text', text, 'expected the text of a dump');
	}

	checkOptions<RuleChoices & {readonly name?: string}>(choices, 'parseRules: choices', {...shape, name: someText});
	const {name = 'the rules', ...others} = choices;
	return load({source: name, text}, {families: ['ipv4'], ...withoutUndefined(others)});
}

function load(from: {readonly source: string; readonly text?: string}, {families, ...choices}: RuleChoices & {readonly families: readonly AddressFamily[]}): LoadedRules {
	const {source6, dnsServers} = choices;
	return {...loadRuleInput({...from, families, ...choices}), families, request: {source6, dnsServers}};
}

/** An option that is undefined was not given, so it must not take the default's place. */
function withoutUndefined(choices: RuleChoices): RuleChoices {
	return Object.fromEntries(Object.entries(choices).filter(([, value]) => value !== undefined));
}

/**
Rules as they are, or by what names them.

@throws {TestbedError} USAGE, with the argument's `name`, for anything else; INPUT as {@link loadRules}.
*/
export function rulesOf(rules: unknown, name: string): LoadedRules {
	if (typeof rules === 'string') {
		return loadRules(rules);
	}

	if (!isLoaded(rules)) {
		throw badArgument(name, rules, expectedRules);
	}

	return rules;
}

/**
Rules of a function whose rules may be left out, which means the newest release. `given` are all its arguments: undefined in their place is a mistake (a generator that returned nothing), and must not become a test of other rules.

@throws {TestbedError} as {@link rulesOf}.
*/
export function rulesOrDefault(given: readonly unknown[], name: string): LoadedRules {
	return given.length === 0 ? loadRules() : rulesOf(given[0], name);
}

function isLoaded(value: unknown): value is LoadedRules {
	if (typeof value !== 'object' || value === null) {
		return false;
	}

	const {source, backend, ruleSet, routing, intent, families, request} = value as Readonly<Record<string, unknown>>;
	return typeof source === 'string'
		&& backends.includes(backend as Backend)
		&& [ruleSet, routing, intent, request].every(part => typeof part === 'object' && part !== null)
		&& Array.isArray((ruleSet as {readonly tables?: unknown}).tables)
		&& Array.isArray(families) && families.length > 0;
}
