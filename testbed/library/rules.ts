/**
Rules for the library: all rule inputs of the command line, and text.
*/

import {flag, someText} from '../../src/parsing/schema.js';
import {backends, type AddressFamily, type Backend} from '../../src/netfilter/types.js';
import type {RuleInput} from '../inputs/types.js';
import type {RecordOptions} from '../analysis/record-baseline.js';
import {defaultInput} from '../inputs/request.js';
import {loadRuleInput} from '../inputs/rules.js';
import {usualFamilies, type UsualFamilies} from '../inputs/usual-families.js';
import {
	address, anyOf, backend, badArgument, checkOptions, families, type ShapeOf,
} from './check.js';

/** Options for a rule input. */
export type RuleChoices = {
	/** Default: both; for a dump without `source6`, the families that its text shows, or IPv4 if it shows none. */
	readonly families?: readonly AddressFamily[];
	/** Default: the input's own; iptables-nft. */
	readonly backend?: Backend;
	/** The name servers of the pod's resolv.conf, for DNS capture. */
	readonly dnsServers?: readonly string[];
	/** The file with the IPv6 dump that belongs to a dump. */
	readonly source6?: string;
	/** The release for a manifest whose images name none. Default: the newest known one. */
	readonly release?: string;
	/** For kubectl:NAMESPACE/POD: the kubeconfig file and the context (default: as kubectl does), and the image of the debug container that reads the pod's rules (default: they are derived from its manifest). */
	readonly kubeconfig?: string;
	readonly context?: string;
	readonly debugImage?: string;
	/** Whether to accept rules with unknown matches and targets: iptables loads a library, and the kernel a module, for each such name. Default: false. */
	readonly allowModules?: boolean;
};

/** Rules, their families, and what else they were read with. */
export type LoadedRules = RuleInput & {readonly families: readonly AddressFamily[]; readonly request: RecordOptions['request']};

const shape: ShapeOf<RuleChoices> = {
	families, backend, dnsServers: anyOf(address, 'addresses'), source6: someText, release: someText, kubeconfig: someText, context: someText, debugImage: someText, allowModules: flag,
};

const expectedRules = `expected rules: a string such as "${defaultInput}", or the result of loadRules or parseRules`;

/**
Loads a rule input: `release:1.30`, `'release:1.30 --redirect-dns'`, `ambient:1.30`, `pod:pod.yaml`, a live pod (`pid:4711`, `kubectl:shop/cart`), or a file with a dump; without one, the newest release. Nothing is installed.

```
const rules = loadRules('release:1.30 --redirect-dns', {backend: 'nftables'});
```

@throws {TestbedError} INPUT if it cannot be parsed, USAGE if it names several rule sets, if undefined or null is passed explicitly, and for an invalid option.
*/
export function loadRules(...given: readonly [source?: string, choices?: RuleChoices]): LoadedRules {
	const [source, choices = {}] = given.length === 0 ? [defaultInput] : given;
	if (typeof source !== 'string') {
		throw badArgument('loadRules: source', source, `expected a string such as "${defaultInput}"; omit the argument for the newest release`);
	}

	checkOptions<RuleChoices>(choices, 'loadRules: choices', shape);
	return load({source}, choices);
}

/**
Reads a dump from text: of iptables-save, of nft, or an init container's log. `name` is for messages.

```
const rules = parseRules(await myGenerator(), {name: 'ours'});
```

@throws {TestbedError} INPUT with the line that cannot be parsed; USAGE for anything but text, and for an invalid option.
*/
export function parseRules(text: string, choices: RuleChoices & {readonly name?: string} = {}): LoadedRules {
	if (typeof text !== 'string') {
		throw badArgument('parseRules: text', text, 'expected the text of a dump');
	}

	checkOptions<RuleChoices & {readonly name?: string}>(choices, 'parseRules: choices', {...shape, name: someText});
	const {name = 'the rules', ...others} = choices;
	return load({source: name, text}, others);
}

/** A dump's text tells its families; it is read once. */
function load(from: {readonly source: string; readonly text?: string}, choices: RuleChoices): LoadedRules {
	const {families: asked, kubeconfig, context, debugImage, ...others} = withoutUndefined(choices);
	const {source6, dnsServers} = others;
	const cluster = {kubeconfig, context, debugImage};
	const known: UsualFamilies = asked === undefined ? usualFamilies({...from, source6, cluster}) : {families: asked, text: from.text};
	return {
		...loadRuleInput({
			...from, ...known, ...others, cluster,
		}), families: known.families, request: {source6, dnsServers},
	};
}

/** Drops undefined options, so that they do not override defaults. */
function withoutUndefined(choices: RuleChoices): RuleChoices {
	return Object.fromEntries(Object.entries(choices).filter(([, value]) => value !== undefined));
}

/**
Returns loaded rules unchanged, or loads rules by their name.

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
The rules of a call in which they may be omitted, which means the newest release. `given` are all its arguments: an explicit undefined is a mistake (a generator that returned nothing), and must not silently test other rules.

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
