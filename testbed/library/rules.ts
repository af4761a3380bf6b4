/**
Rules for the library: everything that a rule input of the command line can be, and text.
*/

import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import type {RuleInput} from '../options.js';
import type {RecordOptions} from '../record.js';
import {defaultInput, fullSource, loadRuleInput} from '../rule-input.js';

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
};

/** Rules, the families that they are of, and what else they were read with. */
export type LoadedRules = RuleInput & {readonly families: readonly AddressFamily[]; readonly request: RecordOptions['request']};

/**
Loads a rule input: `release:1.30`, `'release:1.30 --redirect-dns'`, `ambient:1.30`, `pod:pod.yaml`, or a file with a dump. Nothing is installed.

```
const rules = loadRules('release:1.30 --redirect-dns', {backend: 'nftables'});
```

@throws {TestbedError} INPUT when it is not understood, USAGE when it stands for several rule sets.
*/
export function loadRules(source: string = defaultInput, choices: RuleChoices = {}): LoadedRules {
	const isDump = !/^(?:[A-Za-z_]\w*=\S* +)*(?:release|ambient|pod):/u.test(fullSource(source).source);
	return load({source}, {families: isDump && choices.source6 === undefined ? ['ipv4'] : ['ipv4', 'ipv6'], ...choices});
}

/**
Reads a dump from text: of iptables-save, of nft, or an init container's log. `name` is for messages.

```
const rules = parseRules(await myGenerator(), {name: 'ours'});
```

@throws {TestbedError} INPUT with the line that is not understood.
*/
export function parseRules(text: string, {name = 'the rules', ...choices}: RuleChoices & {readonly name?: string} = {}): LoadedRules {
	return load({source: name, text}, {families: ['ipv4'], ...choices});
}

function load(from: {readonly source: string; readonly text?: string}, {families, ...choices}: RuleChoices & {readonly families: readonly AddressFamily[]}): LoadedRules {
	const {source6, dnsServers} = choices;
	return {...loadRuleInput({...from, families, ...choices}), families, request: {source6, dnsServers}};
}

/** Rules as they are, or by what names them. */
export function rulesOf(rules?: string | LoadedRules): LoadedRules {
	return typeof rules === 'object' ? rules : loadRules(rules);
}
