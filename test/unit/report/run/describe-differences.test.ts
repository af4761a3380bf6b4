import test from 'ava';
import type {Cause, Difference} from '../../../../src/judge/outcome.js';
import type {RuleHit} from '../../../../src/netfilter/path.js';
import {causesOf, describeCause, describeDifference} from '../../../../src/report/run/describe-differences.js';

const hit: RuleHit = {
	family: 'ip', table: 'nat', chain: 'ISTIO_OUTPUT', number: 3, handle: 7, text: '-j RETURN', verdict: 'return',
};
const rule = {
	family: 'ip', table: 'nat', chain: 'ISTIO_OUTPUT', number: 3, text: '-j RETURN',
} as const;
const deviation = {
	leg: 1,
	expectedRole: 'hairpin-by-uid',
	observedRole: 'proxy-uid-bypass',
	rule: hit,
	expected: {actor: 'proxy', stop: 'proxy:15006'},
	observed: {actor: 'proxy', stop: 'app:8080'},
	causes: [],
} as const;

const differences: ReadonlyArray<readonly [Difference, string]> = [
	[{kind: 'stop', ...deviation}, 'Leg 2, opened by proxy, should have reached proxy:15006 but reached app:8080: ISTIO_OUTPUT#3 (proxy-uid-bypass) decided, where hairpin-by-uid was expected.'],
	[{kind: 'closing', leg: 1, observed: {actor: 'proxy', stop: 'proxy:15001'}, closed: 'own-port'}, 'Leg 2, opened by proxy, reached proxy:15001, which closed the connection: The proxy closes connections to its own port so that it does not call itself forever. No rule shows that.'],
	[{kind: 'closing', leg: 0, observed: {actor: 'app', stop: 'app:8080'}, closed: null}, 'Leg 1, opened by app, reached app:8080, which should have closed the connection but did not.'],
	[{kind: 'stop', ...deviation, rule: null, observedRole: null}, 'Leg 2, opened by proxy, should have reached proxy:15006 but reached app:8080: no further rule matched, where hairpin-by-uid was expected.'],
	[{kind: 'stop', ...deviation, expectedRole: 'proxy-uid-bypass', observed: {actor: 'proxy', stop: 'refused'}}, 'Leg 2, opened by proxy, should have reached proxy:15006 but was refused: ISTIO_OUTPUT#3 (proxy-uid-bypass) decided, as expected.'],
	[{kind: 'stop', ...deviation, observedRole: null, rule: {...hit, table: 'mangle', number: undefined}, observed: {actor: 'proxy', stop: 'unknown'}}, 'Leg 2, opened by proxy, should have reached proxy:15006 but ended in an unknown way: mangle:ISTIO_OUTPUT#? (a rule with no known role) decided, where hairpin-by-uid was expected.'],
	[{kind: 'rule', ...deviation, observed: deviation.expected}, 'Leg 2, opened by proxy, reached proxy:15006 as expected, but by another path: ISTIO_OUTPUT#3 (proxy-uid-bypass) decided, where hairpin-by-uid was expected.'],
	[{kind: 'rule', ...deviation, observed: deviation.expected, expectedRole: null}, 'Leg 2, opened by proxy, reached proxy:15006 as expected, but by another path: ISTIO_OUTPUT#3 (proxy-uid-bypass) decided, where no further rule was expected.'],
	[{kind: 'loop', stop: 'proxy:15006', times: 9, ...deviation}, 'The flow is a loop: it reached proxy:15006 9 times. It left the expected path in leg 2, opened by proxy, where ISTIO_OUTPUT#3 (proxy-uid-bypass) decided, where hairpin-by-uid was expected. A real proxy goes on until it has no sockets left, two for each round; Envoy then aborts.'],
	[{kind: 'actor', leg: 0, expected: {actor: 'app', stop: 'a:1'}, observed: {actor: 'agent', stop: 'a:1'}}, 'Leg 1 should have been opened by app, but agent opened it.'],
	[{kind: 'missing-leg', leg: 2, expected: {actor: 'proxy', stop: 'app:8080'}}, 'Leg 3, in which proxy should have reached app:8080, did not happen.'],
	[{kind: 'surplus-leg', leg: 2, observed: {actor: 'proxy', stop: 'app:8080'}}, 'Leg 3 was not expected: proxy opened a connection that reached app:8080.'],
];

for (const [difference, expected] of differences) {
	test(`sentence: ${expected}`, t => {
		t.is(describeDifference(difference), expected);
	});
}

const causes: ReadonlyArray<readonly [Cause, string]> = [
	[{kind: 'missing', role: 'inbound-jump', purpose: 'Sends TCP that arrives in the pod to ISTIO_INBOUND.'}, 'No rule of this set has the role inbound-jump: "Sends TCP that arrives in the pod to ISTIO_INBOUND."'],
	[{
		kind: 'earlier', role: 'inbound-jump', rule, before: {...rule, number: 5},
	}, 'ISTIO_OUTPUT#3 comes before ISTIO_OUTPUT#5, which is the rule for inbound-jump.'],
	[{kind: 'not-matched', role: 'inbound-jump', rule}, 'ISTIO_OUTPUT#3 is a rule for inbound-jump but did not match: -j RETURN'],
	[{kind: 'not-reached', role: 'inbound-jump', rule}, 'ISTIO_OUTPUT#3 is a rule for inbound-jump, but the packet never entered its chain.'],
	[{kind: 'same-stops'}, 'The flow still reaches the expected stops, because another rule leads there.'],
];

for (const [cause, expected] of causes) {
	test(`cause: ${expected}`, t => {
		t.is(describeCause(cause), expected);
	});
}

test('whole legs have no causes', t => {
	t.deepEqual(causesOf({kind: 'missing-leg', leg: 0, expected: {actor: 'app', stop: 'a:1'}}), []);
	t.deepEqual(causesOf({kind: 'stop', ...deviation, causes: [{kind: 'same-stops'}]}), [{kind: 'same-stops'}]);
});
