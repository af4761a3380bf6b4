/**
Identifies Istio's rules: a sidecar's, an ambient pod's, or those of ambient mode on a node; their releases; and whether they are complete.
*/

import type {Intent} from '../../mesh/intent.js';
import type {MeshIdentity} from '../../mesh/identity.js';
import {isNativeTable} from '../../netfilter/lookup.js';
import {printStep} from '../../netfilter/path.js';
import type {RuleSet, Target} from '../../netfilter/types.js';
import {intentOfRuleSet} from '../intent.js';
import {iptablesChain, iptablesTable} from '../roles/backend-names.js';
import type {Role} from '../roles/roles.js';
import {releasesOfRules, rulesWithRoles, type RuleWithRole} from './releases-of-rules.js';

type Form = Pick<MeshIdentity, 'kind' | 'title' | 'missing' | 'assumed'>;

/** Identifies Istio's rules; see {@link MeshIdentity}. */
export function identifyIstio(ruleSet: RuleSet): MeshIdentity {
	const rules = rulesWithRoles(ruleSet);
	const has = (...wanted: readonly Role[]): boolean => rules.some(({role}) => role !== undefined && wanted.includes(role));
	const form = formOf(ruleSet, rules, has);
	return {...form, ...releasesOfRules(rules, ruleSet)};
}

type Has = (...wanted: readonly Role[]) => boolean;

function formOf(ruleSet: RuleSet, rules: readonly RuleWithRole[], has: Has): Form {
	const isAmbient = rules.some(({role}) => role?.startsWith('ambient-') === true);
	if (isAmbient && has('ambient-host-probe-snat', 'ambient-host-jump')) {
		return {
			kind: 'istio-ambient-host', title: 'rules of Istio\'s ambient mode on a node, not in a pod', missing: [], assumed: [],
		};
	}

	const intent = intentOfRuleSet(ruleSet);
	const native = rules.some(({table, role}) => role !== undefined && iptablesTable(table) !== table) ? ' by native nftables' : '';
	const missing = [...brokenJumps(ruleSet), ...entriesMissing(intent, has)];
	return isAmbient
		? {
			kind: 'istio-ambient', title: `Istio ambient pod${native}${has('ambient-tproxy-capture') ? ', inbound by TPROXY' : ''}`, missing, assumed: assumedOfAmbient(intent),
		}
		: {
			kind: 'istio-sidecar', title: `Istio sidecar${native}${intent.inboundInterceptionMode === 'TPROXY' ? ', inbound by TPROXY' : ''}`, missing, assumed: assumedOfSidecar(intent, {ruleSet, rules, has}),
		};
}

/** Istio's chains that a rule jumps to but that are empty, and chains with rules that nothing jumps to. */
function brokenJumps({tables}: RuleSet): readonly string[] {
	return [...new Set(tables.flatMap(table => {
		const jumps = new Set(table.chains.flatMap(({rules}) => rules.flatMap(({target}) => chainOf(target) ?? [])));
		const isOwn = (name: string): boolean => iptablesChain(table.name, name).startsWith('ISTIO_');
		const holds = new Set(table.chains.filter(({rules}) => rules.length > 0).map(({name}) => name));
		return [
			...[...jumps].filter(name => isOwn(name) && !holds.has(name) && !canBeEmpty(iptablesChain(table.name, name))).map(name => `${printStep(table.name, name)} is empty`),
			...table.chains.filter(({name}) => isOwn(name) && holds.has(name) && !jumps.has(name) && !canBeUnused(iptablesChain(table.name, name))).map(({name}) => `no rule leads to ${printStep(table.name, name)}`),
		];
	}))];
}

function chainOf(target: Target): string | undefined {
	return target.kind === 'jump' || target.kind === 'goto' ? target.chain : undefined;
}

/** Chains that some options leave without a jump: the redirection rules are always written. */
function canBeUnused(chain: string): boolean {
	return ['ISTIO_IN_REDIRECT', 'ISTIO_REDIRECT', 'ISTIO_INBOUND', 'ISTIO_DIVERT', 'ISTIO_TPROXY', 'ISTIO_DROP'].includes(chain);
}

/** In ingress mode, the agent writes the jump to it but no rule in it. */
function canBeEmpty(chain: string): boolean {
	return chain === 'ISTIO_PRERT';
}

/** Without these, no outbound traffic is captured, whatever the options. */
function entriesMissing({ambient}: Intent, has: Has): readonly string[] {
	const bypassed = ambient?.ingress === false && !has('ambient-inbound-redirect', 'ambient-tproxy-capture');
	return [
		...(has('outbound-jump') ? [] : ['OUTPUT does not jump to ISTIO_OUTPUT']),
		...(has(ambient === undefined ? 'outbound-redirect' : 'ambient-outbound-redirect') ? [] : ['no rule redirects outbound TCP']),
		...(bypassed ? ['no rule captures inbound traffic, so inbound plaintext bypasses ztunnel'] : []),
	];
}

function assumedOfAmbient({ambient}: Intent): readonly string[] {
	return ambient?.ingress === true
		? ['Ingress mode: no rule captures inbound traffic, so inbound plaintext bypasses ztunnel. If the pod is not in ingress mode (ambient.istio.io/bypass-inbound-capture), that is a fault.']
		: [];
}

function assumedOfSidecar(intent: Intent, {ruleSet, rules, has}: {readonly ruleSet: RuleSet; readonly rules: readonly RuleWithRole[]; readonly has: Has}): readonly string[] {
	const knowsOwner = has('proxy-uid-bypass', 'proxy-gid-bypass');
	const ports = (...wanted: readonly Role[]): readonly number[] => [...new Set(rules.filter(({role}) => role !== undefined && wanted.includes(role)).flatMap(({rule: {target}}) => target.kind === 'redirect' && target.toPorts !== undefined ? [target.toPorts.from] : (target.kind === 'tproxy' ? [target.onPort] : [])))];
	const listener = (direction: string, port: number, found: readonly number[]): readonly string[] => found.length === 0 || found.includes(port)
		? []
		: [`The proxy takes ${direction} traffic on port ${port}, the default; the rules redirect to ${found.join(', ')}.`];
	const [outbound, inbound] = [ports('outbound-redirect'), ports('inbound-redirect', 'tproxy-redirect')];
	const shared = inbound.find(port => outbound.includes(port));
	return [
		...(knowsOwner || ruleSet.tables.every(table => !isNativeTable(table) && table.chains.every(({rules: own}) => own.length === 0)) ? [] : [`The proxy runs as UID ${intent.proxyUids.join(', ')}, the default: no rule names its user.`]),
		...listener('outbound', intent.proxyPort, outbound),
		...(intent.hasOneListener === true ? [`The proxy takes both directions on port ${intent.proxyPort}, and connects to the app on localhost, as until Istio 1.2.`] : []),
		...(shared === undefined || intent.hasOneListener === true
			? listener('inbound', intent.inboundCapturePort, inbound)
			: [`The proxy takes inbound traffic on port ${intent.inboundCapturePort}, but these rules redirect both directions to ${shared}. The stub treats all traffic there as outbound, so a loop there is caused by the stub: Envoy recognized the pod's own address.`]),
	];
}
