/**
The known release by which a user's rules are judged: the one that writes such rules.
*/

import {defaultBackendOf} from '../../netfilter/backends.js';
import {languageOfRules, rulesOf, tablesOf} from '../../netfilter/lookup.js';
import {addressFamilies} from '../../mesh/topology.js';
import type {AddressFamily, Backend, RuleSet} from '../../netfilter/types.js';
import type {Intent} from '../../mesh/intent.js';
import type {ReleaseRange} from '../../mesh/identity.js';
import {canGenerate, generate} from '../generate.js';
import {parseSidecarArguments} from '../options/arguments.js';
import {injectedArgumentsOf, type SidecarOptions} from '../options/options.js';
import {
	compareVersions, findRelease, newestRelease, releaseLines, type Release,
} from '../releases.js';
import {roleOf, type Role} from '../roles/roles.js';
import {releasesOfRules, rulesWithRoles} from './releases-of-rules.js';

/** How inbound traffic is captured. */
export type Interception = Pick<Intent, 'inboundInterceptionMode' | 'inboundTproxyMark'>;

/** The way of capturing inbound traffic, as the rules show it. By default that of the injection. */
export function interceptionOf(ruleSet: RuleSet): Partial<Interception> {
	const tproxy = [...rulesOf(ruleSet)].find(({table, rule, chain}) => roleOf(rule, table, chain) === 'tproxy-redirect')?.rule.target;
	return tproxy?.kind === 'tproxy' ? {inboundInterceptionMode: 'TPROXY', inboundTproxyMark: tproxy.mark} : {};
}

/** What the injection of a release passes, with this way of capturing inbound traffic. */
export function injectedOptions(release: Release, interception: Partial<Interception> = {}): SidecarOptions {
	return {...parseSidecarArguments({argv: injectedArgumentsOf(release), release}), ...interception};
}

const found = new WeakMap<RuleSet, Release>();

/**
The newest of the releases by whose rules nothing, or the least, is missing in a rule set, among those that its marks allow. A rule that a later release adds is therefore not missing in the rules of an earlier one. Rules without any mark, or with marks that contradict each other, are judged by the newest release.
*/
export function releaseLike(ruleSet: RuleSet): Release {
	const release = found.get(ruleSet) ?? findLike(ruleSet);
	found.set(ruleSet, release);
	return release;
}

function findLike(ruleSet: RuleSet): Release {
	const rules = rulesWithRoles(ruleSet);
	const {releases} = releasesOfRules(rules, ruleSet);
	if (releases === null) {
		return newestRelease;
	}

	const families = addressFamilies.filter(family => tablesOf(ruleSet, family).some(({chains}) => chains.some(chain => chain.rules.length > 0)));
	const backend = defaultBackendOf(languageOfRules(ruleSet));
	const own = countsOf(rules);
	const interception = interceptionOf(ruleSet);
	const [best] = releasesIn(releases)
		.filter(release => canGenerate(release, backend))
		.map(release => ({release, lacks: lackOf(own, countsOfRelease({release, interception, families, backend}))}))
		.toReversed()
		.toSorted((one, other) => one.lacks - other.lacks);
	return best?.release ?? newestRelease;
}

/** The known releases in a range, oldest first; the oldest one known for a range before it. */
function releasesIn({from, to}: ReleaseRange): readonly Release[] {
	const lines = releaseLines.filter(({name, newestPatch}) => (from === null || compareVersions(newestPatch, from) >= 0) && (to === null || compareVersions(name, to) <= 0));
	return lines.length === 0
		? [findRelease(releaseLines[0]!.name)]
		: lines.map(({name}) => findRelease(to?.startsWith(`${name}.`) === true ? to : name));
}

const generated = new Map<string, RoleCounts>();

/** The counts of the rules that a release writes, generated once: many rule sets are compared with the same releases. */
function countsOfRelease({release, interception, families, backend}: {
	readonly release: Release; readonly interception: Partial<Interception>; readonly families: readonly AddressFamily[]; readonly backend: Backend;
}): RoleCounts {
	const key = JSON.stringify([release.patch, interception, families, backend]);
	const counts = generated.get(key) ?? countsOf(rulesWithRoles(generate({
		release, options: injectedOptions(release, interception), families, backend,
	})));
	generated.set(key, counts);
	return counts;
}

/** How many rules there are of each role, by family. */
type RoleCounts = ReadonlyMap<string, number>;

function countsOf(rules: ReturnType<typeof rulesWithRoles>): RoleCounts {
	const counts = new Map<string, number>();
	for (const {family, role} of rules) {
		if (role !== undefined) {
			const key = keyOf(family, role);
			counts.set(key, (counts.get(key) ?? 0) + 1);
		}
	}

	return counts;
}

function keyOf(family: string, role: Role): string {
	return `${family} ${role}`;
}

function lackOf(own: RoleCounts, wanted: RoleCounts): number {
	return [...wanted].map(([key, count]) => Math.max(0, count - (own.get(key) ?? 0))).reduce((sum, count) => sum + count, 0);
}
