import test from 'ava';
import {reportToJson} from '../../../../src/report/run/json.js';
import type {Report} from '../../../../src/report/run/types.js';
import {observed} from '../../../helpers/observed.js';
import {compareWithGolden} from '../../../helpers/goldens.js';
import {deleteRule, sketchReport} from '../../../helpers/reports.js';

type Json = Readonly<Record<string, unknown>>;

/** What a reader of the printed document gets: a key without a value would be lost on the way. */
function jsonOf(report: Report): Json & {readonly types: readonly Json[]} {
	const text = JSON.stringify(reportToJson(report));
	return JSON.parse(text) as Json & {readonly types: readonly Json[]};
}

test('json: a pass, a loop, a path difference and a gap', t => {
	const report = sketchReport({
		ids: ['1', '2', '3', '4'], mutate: set => deleteRule('ISTIO_OUTPUT', 4)(deleteRule('ISTIO_OUTPUT', 1)(set)),
		tamper: ({path, loop}, {id}) => observed(path.legs, {loop, gaps: id === '4' ? [{kind: 'lost-events', message: 'Two events were lost.'}] : []}),
	});
	compareWithGolden(t, 'report.json', `${JSON.stringify(reportToJson(report), undefined, '\t')}\n`);
});

test('the documented keys, in their order', t => {
	const json = jsonOf(sketchReport());
	t.deepEqual(Object.keys(json), ['version', 'environment', 'rules', 'types', 'others', 'ruleNotes', 'hints', 'summary', 'durationMs']);
	t.is(json['version'], 2);
	t.deepEqual(json['summary'], {passed: 6, failed: 0, inconclusive: 0});
	for (const type of json.types) {
		t.deepEqual(Object.keys(type), ['id', 'name', 'family', 'actors', 'outcome', 'stops', 'path', 'loop', 'expected', 'published', 'differences', 'gaps', 'legs', 'roles']);
		t.is(type['outcome'], 'pass');
	}
});

test('type 1 as documented', t => {
	const [type] = jsonOf(sketchReport()).types;
	t.like(type, {
		id: '1',
		name: 'remote-to-local',
		family: 'ipv4',
		actors: {remote: {uid: 0, gid: 0}, proxy: {uid: 1337, gid: 1337}},
		stops: ['proxy:15006', 'app:8080'],
		path: ['remote', 'PREROUTING#1', 'ISTIO_INBOUND#5', 'ISTIO_IN_REDIRECT#1', 'INPUT', 'proxy:15006', 'OUTPUT#1', 'ISTIO_OUTPUT#1', 'POSTROUTING', 'app:8080'],
		published: {path: ['remote', 'PREROUTING', 'ISTIO_INBOUND', 'ISTIO_IN_REDIRECT', 'proxy:15006', 'OUTPUT', 'ISTIO_OUTPUT#1', 'POSTROUTING', 'app'], agrees: true, reason: null},
		differences: [],
		gaps: [],
	});
	const {stops, roles} = type?.['expected'] as {stops: string[]; roles: string[]};
	t.deepEqual(stops, ['proxy:15006', 'app:8080']);
	t.deepEqual(roles, ['inbound-jump', 'inbound-capture', 'inbound-redirect', 'outbound-jump', 'passthrough-source']);
});

test('a leg has its socket, and a rule its role, at every hook', t => {
	const [, type] = jsonOf(sketchReport()).types;
	const legs = type?.['legs'] as Array<{socket: unknown; hooks: Array<{hook: string; rules: unknown[]}>}>;
	t.deepEqual(legs.map(({socket}) => socket), [{uid: 1000, gid: 1000}, {uid: 1337, gid: 1337}]);
	t.deepEqual(legs[1]?.hooks[0]?.rules[1], {
		family: 'ip', table: 'nat', chain: 'ISTIO_OUTPUT', number: 4, handle: 104, role: 'proxy-uid-bypass', text: '-m owner --uid-owner 1337 -j RETURN', verdict: 'return',
	});
});

test('unknown values are null, and never left out', t => {
	const [type] = jsonOf(sketchReport({ids: ['1'], isLegacy: true})).types;
	const legs = type?.['legs'] as Array<{socket: unknown; hooks: Array<{rules: Json[]; outInterface: unknown}>}>;
	t.is(legs[0]?.socket, null);
	t.like(legs[0]?.hooks[0]?.rules[0], {handle: null, verdict: null});
	t.is(legs[0]?.hooks[0]?.outInterface, null);
	t.is(jsonOf(sketchReport({ids: ['4b']})).types[0]?.['published'], null);
});

test('a difference and its causes have a message', t => {
	const [type] = jsonOf(sketchReport({ids: ['4'], mutate: deleteRule('ISTIO_OUTPUT', 2)})).types;
	const [first] = type?.['differences'] as Array<Json & {causes: Json[]}>;
	t.is(first?.['message'], 'Leg 2, opened by proxy, should have reached proxy:15006 but reached app:8080: ISTIO_OUTPUT#3 (proxy-uid-bypass) decided, where hairpin-by-uid was expected.');
	t.is(first?.causes[0]?.['message'], 'No rule of this set has the role hairpin-by-uid: "Sends the proxy\'s own connections to the pod\'s own addresses through the inbound listener, by UID."');
});
