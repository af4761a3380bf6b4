/**
Determines which releases of Istio write rules like these: each mark of the rules bounds them, by `releases.ts` and the histories of the roles.
*/

import type {ReleaseRange} from '../../mesh/identity.js';
import {isNativeTable, rulesOf, type PlacedRule} from '../../netfilter/lookup.js';
import type {Match, RuleSet} from '../../netfilter/types.js';
import {compareVersions, releasesWith, type ReleaseFeatures} from '../releases.js';
import {isNatChain} from '../roles/backend-names.js';
import {roleOf, roles, type Role} from '../roles/roles.js';

/** A rule with its role. */
export type RuleWithRole = PlacedRule & {readonly role: Role | undefined};

/** All rules of a set, each with its role. */
export function rulesWithRoles(ruleSet: RuleSet): readonly RuleWithRole[] {
	return [...rulesOf(ruleSet)].map(placed => ({...placed, role: roleOf(placed.rule, placed.table, placed.chain)}));
}

/** Evidence in some rule: the releases that write it are those from `since` on and before `before`. */
type Mark = {readonly text: string; readonly since: string | null; readonly before: string | null};

/** The conclusion from the marks. Contradicting marks leave no release; `marks` then contains two that contradict each other. */
export type FoundReleases = {readonly releases: ReleaseRange | null; readonly marks: readonly string[]};

/**
Determines the bounds of the releases. Certain marks count first. A rule that an option may have added (a rule for SSH), or a missing rule that somebody may have removed, counts only if it contradicts nothing.
*/
export function releasesOfRules(rules: readonly RuleWithRole[], ruleSet: RuleSet): FoundReleases {
	const isNative = ruleSet.tables.some(table => isNativeTable(table) && rules.some(({table: name, role}) => name === table.name && role !== undefined));
	// Until 1.11, IPv6 had separate code with older rules.
	const own = rules.some(({family}) => family !== 'ip6') ? rules.filter(({family}) => family !== 'ip6') : rules;
	// The features are those of a sidecar's rules; for ambient mode, only the roles are known by release.
	const isAmbient = rules.some(({role}) => role?.startsWith('ambient-') === true);
	const written = isNative ? nativeMarks(own) : featureMarks(own);
	const certain = [...roleMarks(own), ...(isAmbient ? [] : written)];
	let range = rangeOf(certain);
	if (isEmpty(range)) {
		return {releases: null, marks: [range.since!.text, range.before!.text]};
	}

	for (const mark of isNative || isAmbient ? [] : likelyMarks(own)) {
		const narrowed = rangeOf([...certain, mark]);
		range = isEmpty(narrowed) ? range : narrower(range, narrowed);
	}

	const {since, before} = range;
	return {
		releases: since === undefined && before === undefined ? null : {from: since === undefined ? null : shortName(since.since!), to: before === undefined ? null : lastBefore(before.before!)},
		marks: [...new Set([since, before].flatMap(mark => mark === undefined ? [] : [mark.text]))],
	};
}

/** The marks that set the bounds. */
type Bounds = {readonly since: Mark | undefined; readonly before: Mark | undefined};

function rangeOf(marks: readonly Mark[]): Bounds {
	const latest = marks.filter(({since}) => since !== null).toSorted((one, other) => compareVersions(other.since!, one.since!));
	const earliest = marks.filter(({before}) => before !== null).toSorted((one, other) => compareVersions(one.before!, other.before!));
	return {since: latest[0], before: earliest[0]};
}

function isEmpty({since, before}: Bounds): boolean {
	return since !== undefined && before !== undefined && compareVersions(since.since!, before.before!) >= 0;
}

/** Two marks are compatible if either range overlaps the other; several absences may still contradict each other. */
function narrower(one: Bounds, other: Bounds): Bounds {
	const both = rangeOf([one.since, one.before, other.since, other.before].filter(mark => mark !== undefined));
	return isEmpty(both) ? one : both;
}

/** `1.18` for 1.18.0, but `1.10.3` unchanged. */
function shortName(version: string): string {
	return version.replace(/^(?<line>\d+\.\d+)\.0$/u, '$<line>');
}

/** The last release before one that introduces something: `1.24` before 1.25.0, `1.10.2` before 1.10.3. */
function lastBefore(version: string): string {
	const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
	return patch === 0 ? `${major}.${minor - 1}` : `${major}.${minor}.${patch - 1}`;
}

/** The line after another: `1.13.0` after 1.12. */
function behindLine(line: string): string {
	const [major = 0, minor = 0] = line.split('.').map(Number);
	return `${major}.${minor + 1}.0`;
}

/** Marks from the histories of the roles. */
function roleMarks(rules: readonly RuleWithRole[]): readonly Mark[] {
	// A user's exclusion of port 22 looks like the one that was always there until 1.12.
	return [...new Set(rules.flatMap(({role}) => role ?? []))].filter(role => role !== 'inbound-ssh').flatMap(role => {
		const {since, until} = roles[role];
		const from = since === null || since.startsWith('≤') ? null : since.replace(/^≥ /u, '');
		const mark: Mark = {text: `a rule of the role ${role}`, since: from, before: until === null ? null : behindLine(until)};
		return mark.since === null && mark.before === null ? [] : [mark];
	});
}

function featureMark<Name extends keyof ReleaseFeatures>(text: string, name: Name, value: ReleaseFeatures[Name]): Mark {
	return {text, ...releasesWith(name, value)};
}

function nativeMarks(rules: readonly RuleWithRole[]): readonly Mark[] {
	const counted = rules.filter(({role}) => role !== undefined).some(({rule}) => /\bcounter\b/u.test(rule.text));
	return [
		featureMark('native nftables', 'nativeNftables', true),
		counted ? featureMark('rules with counters', 'nftCounters', true) : featureMark('rules without counters', 'nftCounters', false),
	];
}

type Reading = (placed: PlacedRule) => readonly Mark[];

/** Ways in which the rule of a role is written, by the value of a feature. */
const readings: Partial<Record<Role, Reading>> = {
	'outbound-jump': placed => [asks(placed, 'protocol')
		? featureMark('OUTPUT hands over TCP only', 'outputJumpAllProtocols', false)
		: featureMark('OUTPUT hands over every protocol', 'outputJumpAllProtocols', true)],
	'hairpin-by-uid': hairpinMarks,
	'hairpin-by-gid': hairpinMarks,
	'hairpin-any-owner': ({rule: {target}}) => [target.kind === 'jump' && target.chain === 'ISTIO_REDIRECT'
		? {text: 'one listener for both directions', since: null, before: '1.3.0'}
		: {text: 'a hairpin rule for every owner', since: '1.3.0', before: '1.5.0'}],
	'dns-redirect-udp': placed => isIn(placed, 'OUTPUT') && asks(placed, 'destination') ? [featureMark('DNS redirected in OUTPUT', 'dns', 'in-output')] : [],
	'dns-redirect-tcp': placed => isIn(placed, 'ISTIO_REDIRECT') ? [featureMark('DNS over TCP in ISTIO_REDIRECT', 'dns', 'translated-with-tcp')] : [],
	'dns-zone-answer': placed => (['source', 'destination'] as const).filter(kind => asks(placed, kind)).map(kind => featureMark(`DNS answers recognized by their ${kind}`, 'dnsAnswersBySource', kind === 'source')),
	'invalid-drop': ({table, chain}) => table === 'mangle' && chain.name === 'PREROUTING' ? [featureMark('invalid packets dropped in PREROUTING', 'invalidDropChain', false)] : [],
	'tproxy-divert-established': placed => [featureMark('TPROXY\'s way of recognizing connections', 'tproxyByConntrack', asks(placed, 'conntrack-state'))],
};

function featureMarks(rules: readonly RuleWithRole[]): readonly Mark[] {
	return rules.flatMap(placed => placed.role === undefined ? [] : readings[placed.role]?.(placed) ?? []);
}

function asks({rule}: PlacedRule, kind: Match['kind']): boolean {
	return rule.matches.some(match => match.kind === kind);
}

function isIn({table, chain}: PlacedRule, name: string): boolean {
	return isNatChain({table, chain: chain.name}, name);
}

function hairpinMarks(placed: PlacedRule): readonly Mark[] {
	return [exceptsTunnel(placed)
		? featureMark('hairpin rules that exempt the tunnel port', 'hairpinExceptsTunnelPort', true)
		: featureMark('hairpin rules for every port', 'hairpinExceptsTunnelPort', false)];
}

/** The hairpin rules exclude port 53 if DNS is captured, and since 1.18 the tunnel port as well. */
function exceptsTunnel({rule}: PlacedRule): boolean {
	return rule.matches.some(match => match.kind === 'destination-port' && match.negated && match.ranges.some(({from, to}) => from !== 53 || to !== 53));
}

/** What some releases always write, present or missing. */
function likelyMarks(rules: readonly RuleWithRole[]): readonly Mark[] {
	const has = (role: Role): boolean => rules.some(placed => placed.role === role);
	// Ports are excluded only if all are captured, and a list of all ports looks the same; a tunnel port's rule is only in nat.
	const capturesAll = has('inbound-capture');
	const listsRanges = has('range-include') && !has('outbound-capture');
	const excludes = (port: number): boolean => rules.some(({role, rule}) => role === 'inbound-port-exclude' && rule.matches.some(match => match.kind === 'destination-port' && match.ranges.some(({from, to}) => from === port && to === port)));
	return [
		...(excludes(15_021) ? [{text: 'port 15021 exempt', since: '1.6.0', before: null}] : []),
		// The template lists its own ports first, so a port 22 before others is the program's own.
		...(has('inbound-ssh') && has('inbound-port-exclude') ? [featureMark('a rule for SSH', 'sshExcluded', true)] : []),
		...(capturesAll && !has('inbound-tunnel-port') ? [featureMark('no rule for the tunnel port', 'tunnelPort', false)] : []),
		...(has('inbound-port-exclude') && !has('inbound-ssh') ? [featureMark('no rule for SSH', 'sshExcluded', false)] : []),
		...(listsRanges && !has('range-rest') ? [featureMark('no RETURN after the included ranges', 'rangesEndWithReturn', false)] : []),
		...(has('dns-redirect-udp') && has('dns-redirect-tcp') && !has('dns-zone-query') && !has('dns-zone-proxy-query') ? [{text: 'DNS without conntrack zones', since: null, before: releasesWith('dnsZones', 'always').since}] : []),
	];
}
