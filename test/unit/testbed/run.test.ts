import test from 'ava';
import {credentialsOf} from '../../../testbed/inputs/credentials.js';
import {wantsColor} from '../../../testbed/cli/output/terminal.js';

type Environment = Readonly<Record<string, string>>;

/** On a terminal, and not on one. */
const colors: ReadonlyArray<readonly [environment: Environment, onTerminal: boolean, elsewhere: boolean]> = [
	[{}, true, false],
	[{TERM: 'xterm-256color'}, true, false],
	[{TERM: 'dumb'}, false, false],
	[{NO_COLOR: '1'}, false, false],
	[{NO_COLOR: '0'}, false, false],
	[{NO_COLOR: ''}, true, false],
	[{FORCE_COLOR: '1'}, true, true],
	[{FORCE_COLOR: ''}, true, true],
	[{FORCE_COLOR: '3', TERM: 'dumb'}, true, true],
	[{FORCE_COLOR: '0'}, false, false],
	[{FORCE_COLOR: 'false'}, false, false],
	[{FORCE_COLOR: '1', NO_COLOR: '1'}, false, false],
	[{FORCE_COLOR: '1', NO_COLOR: ''}, true, true],
];

for (const [environment, onTerminal, elsewhere] of colors) {
	test(`colour with ${JSON.stringify(environment)}`, t => {
		t.is(wantsColor({isTerminal: true, environment}), onTerminal);
		t.is(wantsColor({isTerminal: false, environment}), elsewhere);
	});
}

const root = {uid: 0, gid: 0};

const credentials: ReadonlyArray<readonly [title: string, flags: Partial<Parameters<typeof credentialsOf>[0]>, proxy: string, agent: string, app: string]> = [
	['defaults', {}, '1337:1337', '1337:1337', '1000:1000'],
	['a group follows its user', {proxyUid: 5, appUid: 6}, '5:5', '5:5', '6:6'],
	['groups of their own', {proxyGid: 7, appGid: 8}, '1337:7', '1337:7', '1000:8'],
	['an agent of another user', {agentUid: 0}, '1337:1337', '0:0', '1000:1000'],
	['an agent of another user in the proxy\'s group', {agentUid: 0, agentGid: 1337}, '1337:1337', '0:1337', '1000:1000'],
	['an agent of another group', {agentGid: 9}, '1337:1337', '1337:9', '1000:1000'],
	['an agent of another user does not take the proxy\'s group', {proxyGid: 7, agentUid: 4}, '1337:7', '4:4', '1000:1000'],
];

for (const [title, flags, proxy, agent, app] of credentials) {
	test(`credentials: ${title}`, t => {
		const found = credentialsOf({appUid: 1000, ...flags}, {inboundInterceptionMode: 'REDIRECT'});
		t.deepEqual([found.proxy, found.agent, found.app].map(({uid, gid}) => `${uid}:${gid}`), [proxy, agent, app]);
		t.deepEqual([found.remote, found.istiod, found.prometheus], [root, root, root]);
	});
}

for (const [title, flags, users, known, proxy, app] of [
	['the first user that the rules let out', {}, {proxyUids: [2000, 1337], proxyGids: [2000]}, {}, '2000:2000', '1000:1000'],
	['a user that is given goes before that', {proxyUid: 1337}, {proxyUids: [2000]}, {}, '1337:1337', '1000:1000'],
	['rules that name nobody', {}, {proxyUids: []}, {}, '1337:1337', '1000:1000'],
	['those of a manifest', {}, {proxyUids: [1337]}, {proxy: {uid: 7, gid: 8}, apps: [{uid: 9, gid: 10}, {uid: 11, gid: 11}]}, '7:8', '9:10'],
	['a command line goes before a manifest', {proxyUid: 3, appUid: 4}, {proxyUids: [1337]}, {proxy: {uid: 7, gid: 8}, apps: [{uid: 9, gid: 10}]}, '3:3', '4:4'],
] as const) {
	test(`credentials: ${title}`, t => {
		const found = credentialsOf(flags, {inboundInterceptionMode: 'REDIRECT', ...users}, known);
		t.deepEqual([found.proxy, found.app].map(({uid, gid}) => `${uid}:${gid}`), [proxy, app]);
	});
}

test('a transparent proxy has a group that the rules know', t => {
	t.deepEqual(credentialsOf({}, {inboundInterceptionMode: 'TPROXY', proxyUids: [5], proxyGids: [5]}).proxy, {uid: 0, gid: 5});
	t.deepEqual(credentialsOf({}, {inboundInterceptionMode: 'TPROXY', proxyUids: [5], proxyGids: [5, 1337]}).proxy, {uid: 0, gid: 1337});
});

test('credentials under TPROXY are those of the injection template, unless the user is given', t => {
	const transparent = {inboundInterceptionMode: 'TPROXY'} as const;
	t.deepEqual(credentialsOf({appUid: 1000}, transparent).proxy, {uid: 0, gid: 1337});
	t.deepEqual(credentialsOf({appUid: 1000, proxyGid: 5}, transparent).proxy, {uid: 0, gid: 5});
	t.deepEqual(credentialsOf({appUid: 1000, proxyUid: 1337}, transparent).proxy, {uid: 1337, gid: 1337});
});
