/** `testbed serve` over HTTP: what it answers, by real packets, and what it refuses. */

import {writeFileSync} from 'node:fs';
import {connect, type Socket} from 'node:net';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import type {RuleAt, RulesChoice, Snapshot} from '../../src/workshop/protocol.js';
import {testbed, until} from './_cli.js';
import {RunningServer} from './_serve.js';

const outcomes = ({types}: Snapshot): string => types.map(({now}) => now).join(' ');
const bypass: RuleAt = {
	family: 'ip', table: 'nat', chain: 'ISTIO_OUTPUT', number: 4,
};

test.serial('the page comes with its token alone, and with headers that let it do little', async t => {
	await using server = await RunningServer.start();
	const host = {host: `127.0.0.1:${server.port}`};
	const {search} = new URL(server.url);
	const page = await server.send(`/${search}`, {headers: host});
	t.is(page.status, 200);
	t.regex(String(page.headers['set-cookie']), new RegExp(`^testbed-${server.port}=${server.token}; Path=/; HttpOnly; SameSite=Strict$`, 'u'));
	t.is(page.headers['content-security-policy'], 'default-src \'none\'; script-src \'self\'; style-src \'self\'; img-src \'self\'; connect-src \'self\'; base-uri \'none\'; form-action \'none\'; frame-ancestors \'none\'');
	t.deepEqual([page.headers['referrer-policy'], page.headers['x-content-type-options'], page.headers['cache-control'], page.headers['x-frame-options']], ['no-referrer', 'nosniff', 'no-store', 'DENY']);
	for (const file of ['/', '/page.js', '/page.css', '/icon.svg', '/api/hello', '/api/state', '/api/events', '/api/scenario', '/api/moves/1/0', '/nothing']) {
		t.is(await server.statusOf(file, {headers: host}), 401, `${file} without a token`); // eslint-disable-line no-await-in-loop -- One after the other.
		t.is(await server.statusOf(`${file}${search}`, {headers: host}), file === '/' ? 200 : 401, `${file} with a token in its address`); // eslint-disable-line no-await-in-loop -- As above.
	}

	const headers = server.headers();
	t.is(await server.statusOf('/page.js', {headers}), 200);
	t.is(await server.statusOf('/api/state', {headers: {...headers, host: `rebound.example:${server.port}`}}), 403);
	t.is(await server.statusOf('/api/state', {headers: {...headers, origin: 'http://evil.example'}}), 403);
	t.is(await server.statusOf('/nothing', {headers}), 404);
	t.is(await server.statusOf('/api/act', {headers}), 404);
	t.is(await server.statusOf('/../../etc/passwd', {headers}), 404);
	t.is(await server.actStatus({kind: 'undo'}, {origin: 'http://evil.example'}), 403);
	t.is(await server.actStatus({kind: 'undo'}, {'content-type': 'text/plain'}), 415);
	t.is(await server.actStatus({kind: 'undo'}, {'x-testbed-page': ''}), 400);
	t.is(await server.actStatus({kind: 'shell', command: 'id'}), 422);
	t.is(await server.statusOf('/api/act', {method: 'POST', headers, body: '{'}), 422);
	const {revision} = await server.ready();
	t.true(revision > 0);
});

test.serial('packets are sent, rules changed and changed back, and what no longer works is told at once', async t => {
	await using server = await RunningServer.start();
	const first = await server.ready();
	t.is(outcomes(first), 'pass pass pass pass pass pass');
	t.is(first.now?.name, '1 remote-to-local');
	t.true(first.now!.connection!.legs.length > 0);

	t.is(await server.actStatus({kind: 'send', question: {kind: 'type', type: '2'}}), 200);
	const sent = await server.state();
	t.deepEqual([sent.now?.outcome, sent.now?.stops], ['pass', 'app → proxy:15001 → remote:8080']);
	t.deepEqual(sent.now?.deciding, ['OUTPUT#1 ISTIO_OUTPUT#9 ISTIO_REDIRECT#1', 'OUTPUT#1 ISTIO_OUTPUT#4']);

	t.is(await server.actStatus({kind: 'edit', edit: {kind: 'value', at: bypass, condition: 0, value: '1338'}}), 200);
	t.is(await server.actStatus({kind: 'edit', edit: {kind: 'delete', at: {...bypass, number: 7}}}), 200);
	const edited = await server.state();
	t.deepEqual(edited.rules?.edits, ['ISTIO_OUTPUT#4 (IPv4 alone): UID 1337 → 1338', 'ISTIO_OUTPUT#7 (IPv4 alone) deleted: -m owner --gid-owner 1337 -j RETURN']);
	// Nothing lets the proxy out any more: what it sends comes back to it.
	t.regex(outcomes(edited), /^pass fail/u);
	t.regex(edited.now!.stops, /loop/u);
	t.is(edited.before?.outcome, 'fail');
	const shown = edited.rules!.chains.find(({name}) => name === 'ISTIO_OUTPUT')!;
	t.deepEqual([shown.gone, shown.rules.length], [['-m owner --gid-owner 1337 -j RETURN'], 8]);

	t.is(await server.actStatus({kind: 'undo'}), 200);
	t.is(await server.actStatus({kind: 'undo'}), 200);
	t.is(outcomes(await server.state()), 'pass pass pass pass pass pass');
	t.is(await server.actStatus({kind: 'undo'}), 409);
	t.is(await server.actStatus({kind: 'redo'}), 200);
	t.is(await server.shown(state => state.rules?.edits.length), 1);

	t.is(await server.actStatus({kind: 'edit', edit: {kind: 'delete', at: {...bypass, number: 99}}}), 422);
	t.regex(await server.shown(state => state.problem!.message), /There is no ISTIO_OUTPUT#99/u);
	t.is(await server.actStatus({kind: 'send', question: {kind: 'type', type: '1'}}), 200);
	t.is(await server.shown(state => state.problem), null);
});

test.serial('a rule of both families is changed in both, or in one alone, and one undo brings both back', async t => {
	await using server = await RunningServer.start();
	const first = await server.ready();
	const counterparts = first.rules!.chains.find(({name}) => name === 'ISTIO_OUTPUT')!.rules.map(({hasCounterpart}) => hasCounterpart);
	// Rules 1, 2, 5 and 8 name an address of IPv4.
	t.deepEqual(counterparts, [false, false, true, true, false, true, true, false, true]);
	const failing = async (family: 'ipv4' | 'ipv6'): Promise<string> => {
		t.is(await server.actStatus({kind: 'family', family}), 200);
		const {types} = await server.state();
		return types.filter(({now}) => now === 'fail').map(({id}) => id).join(' ');
	};

	t.is(await server.actStatus({kind: 'edit', edit: {kind: 'delete', at: bypass, inBoth: true}}), 200);
	t.deepEqual(await server.shown(({rules}) => rules!.edits), ['ISTIO_OUTPUT#4 (IPv4 and IPv6) deleted: -m owner --uid-owner 1337 -j RETURN']);
	const broken = await failing('ipv6');
	t.not(broken, '');
	t.is(await failing('ipv4'), broken);
	t.is(await server.actStatus({kind: 'undo'}), 200);
	t.is(await failing('ipv4'), '');
	t.is(await failing('ipv6'), '');
	t.is(await server.shown(({canUndo}) => canUndo), false);

	t.is(await server.actStatus({kind: 'edit', edit: {kind: 'delete', at: {...bypass, family: 'ip6'}}}), 200);
	t.deepEqual(await server.shown(({rules}) => rules!.edits), ['ISTIO_OUTPUT#4 (IPv6 alone) deleted: -m owner --uid-owner 1337 -j RETURN']);
	t.is(await failing('ipv6'), broken);
	t.is(await failing('ipv4'), '');
	// The counterpart of a rule that has moved up is found where it is.
	t.is(await server.actStatus({kind: 'edit', edit: {kind: 'delete', at: {...bypass, number: 7}, inBoth: true}}), 200);
	t.is(await server.shown(({rules}) => rules!.edits[1]), 'ISTIO_OUTPUT#7 (IPv4, and #6 of IPv6) deleted: -m owner --gid-owner 1337 -j RETURN');
	t.is(await server.actStatus({kind: 'edit', edit: {kind: 'insert', at: {...bypass, number: 3}, text: '-d 10.244.1.20/32 -j RETURN', inBoth: true}}), 422);
	t.regex(await server.shown(({problem}) => problem!.message), /^In IPv6: .* Change IPv4 alone/u);
});

test.serial('any connection: another user, another family, where nobody listens, over UDP', async t => {
	await using server = await RunningServer.start();
	await server.ready();
	const send = async (connection: Readonly<Record<string, unknown>>): Promise<Snapshot> => {
		const {status, body} = await server.act({kind: 'send', question: {kind: 'connection', ...connection}});
		t.is(status, 200, body);
		return server.state();
	};

	const asProxy = await send({from: 'app', to: 'remote:8080', uid: 1337});
	t.is(asProxy.now?.stops, 'app-1337 → remote:8080');
	t.regex(asProxy.now!.deciding[0]!, /ISTIO_OUTPUT#4/u);
	t.is(asProxy.now?.connection?.legs[0]?.sender.about, 'uid 1337, gid 1337');
	const refused = await send({from: 'remote', to: 'pod:15021'});
	t.is(refused.now?.outcome, 'pass');
	const nowhere = await send({from: 'app', to: '10.96.0.99:4444'});
	t.is(nowhere.now?.outcome, 'seen');
	t.regex(nowhere.now!.stops, /refused/u);
	const udp = await send({from: 'app', to: 'resolver:53', protocol: 'udp'});
	t.regex(udp.now!.stops, /dns:53/u);

	t.is(await server.actStatus({kind: 'send', question: {kind: 'connection', from: 'app', to: '[2001:db8:1::20]:8080'}}), 422);
	t.is(await server.actStatus({kind: 'family', family: 'ipv6'}), 200);
	t.is(outcomes(await server.state()), 'pass pass pass pass pass pass');
	const overIpv6 = await send({from: 'app', to: '[2001:db8:1::20]:8080'});
	t.is(overIpv6.now?.stops, 'app → proxy:15001 → remote:8080');
	t.is(await server.actStatus({kind: 'send', question: {kind: 'connection', from: 'remote', to: 'remote:8080'}}), 409);
});

test.serial('other rules: releases and dumps by their readers, and never a file', async t => {
	await using server = await RunningServer.start();
	await server.ready();
	const load = async (rules: RulesChoice) => server.act({kind: 'rules', rules});
	const loadStatus = async (rules: RulesChoice) => server.actStatus({kind: 'rules', rules});
	t.is(await loadStatus({kind: 'generated', input: 'release:1.24 --redirect-dns', backend: 'nftables'}), 422);
	t.is(await loadStatus({kind: 'generated', input: '1.28', backend: 'nftables'}), 200);
	t.is(await server.shown(state => state.rules?.backend), 'nftables');
	t.is(await loadStatus({kind: 'generated', input: 'release:1.24', backend: 'iptables-legacy'}), 200);
	t.is(outcomes(await server.state()), 'pass pass pass pass pass pass');
	for (const input of ['/etc/passwd', 'file:/etc/passwd', 'pod:/etc/passwd', '-', 'release', 'package.json']) {
		const {status, body} = await load({kind: 'generated', input}); // eslint-disable-line no-await-in-loop -- One after the other.
		t.true(status === 409 || status === 422, `${input}: ${status}`);
		t.notRegex(body, /root:/u);
	}

	const dump = (rule: string): RulesChoice => ({kind: 'text', name: 'pasted', text: `*nat\n:OUTPUT ACCEPT\n-A OUTPUT ${rule}\nCOMMIT\n`});
	for (const [rule, message] of [
		['-m no-such-module -j RETURN', /not a known match/u], ['-p tcp --dport', /needs a value/u], ['-j NOWHERE', /NOWHERE/u],
	] as const) {
		const {status, body} = await load(dump(rule)); // eslint-disable-line no-await-in-loop -- One after the other.
		t.is(status, 422, rule);
		t.regex(body, message);
	}

	t.is(await loadStatus({kind: 'text', name: 'nft', text: 'table ip nat {\n\tinclude "/etc/passwd"\n}\n'}), 422);
	// What was refused has changed nothing.
	t.is(await server.shown(state => state.rules?.source), 'release:1.24');
	t.is(await loadStatus(dump('-p tcp -d 10.244.1.20/32 -j REDIRECT --to-ports 15001')), 200);
	t.deepEqual(await server.shown(state => state.rules?.families), ['ipv4']);
});

test.serial('10 MB of rules are refused, announced or not, and the server goes on', async t => {
	await using server = await RunningServer.start();
	await server.ready();
	const body = JSON.stringify({kind: 'rules', rules: {kind: 'text', name: 'long', text: 'x'.repeat(10_000_000)}});
	const answers: number[] = [];
	for (const headers of [{...server.headers(), 'content-length': String(body.length)}, {...server.headers(), 'transfer-encoding': 'chunked'}]) {
		try {
			const {status} = await server.send('/api/act', {method: 'POST', headers, body}); // eslint-disable-line no-await-in-loop -- One after the other.
			answers.push(status);
		} catch {
			answers.push(413); // It closed the connection before all of it was sent.
		}
	}

	t.deepEqual(answers, [413, 413]);
	t.is(await server.actStatus({kind: 'send', question: {kind: 'type', type: '1'}}), 200);
	const many = Array.from({length: 3000}, (_, index) => `-A OUTPUT -d 10.0.${index >> 8}.${index & 255}/32 -j RETURN`);
	const {status, body: message} = await server.act({kind: 'rules', rules: {kind: 'text', name: 'many', text: ['*nat', ':OUTPUT ACCEPT', ...many, 'COMMIT', ''].join('\n')}});
	t.is(status, 422);
	t.regex(message, /3000 rules/u);
});

test.serial('a guess is asked for before the packet goes, and counted by what the kernel did', async t => {
	await using server = await RunningServer.start();
	await server.ready();
	t.is(await server.actStatus({kind: 'guess', candidate: 0}), 409);
	t.is(await server.actStatus({kind: 'predict', question: {kind: 'type', type: '2'}}), 200);
	const open = await server.state();
	t.is(open.now, null);
	t.deepEqual([open.prediction?.guess, open.prediction?.right, open.prediction?.candidates.length], [undefined, undefined, 9]);
	t.is(await server.actStatus({kind: 'guess', candidate: 3}), 200);
	const wrong = await server.state();
	t.deepEqual([wrong.prediction?.guess, wrong.prediction?.right, wrong.score], [3, [8], {asked: 1, right: 0}]);
	t.is(wrong.now?.stops, 'app → proxy:15001 → remote:8080');
	await server.act({kind: 'predict', question: {kind: 'connection', from: 'app', to: 'remote:8080', uid: 1337}});
	t.is(await server.actStatus({kind: 'guess', candidate: 3}), 200);
	t.deepEqual(await server.shown(state => state.score), {asked: 2, right: 1});
	await server.act({kind: 'clear-score'});
	t.deepEqual(await server.shown(state => state.score), {asked: 0, right: 0});
});

test.serial('two rule sets are compared: their rules at once, what moved when the kernel has answered, with drawings', async t => {
	await using server = await RunningServer.start();
	await server.ready();
	const compare = async (from: string, to: string): Promise<Snapshot> => {
		t.is(await server.actStatus({kind: 'compare', from: {kind: 'generated', input: from}, to: {kind: 'generated', input: to}}), 200);
		const state = await server.state();
		t.is(state.comparison?.state === 'sending' ? state.comparison.moves.length : 0, 0);
		return server.stateWhen('the comparison is over', ({comparison}) => comparison?.state !== 'sending');
	};

	const {comparison} = await compare('release:1.31', 'release:1.31 -o 5432');
	const moved = comparison!;
	t.is(moved.outcome, 'moved');
	t.regex(moved.rules.join('\n'), /5432/u);
	t.regex(moved.moves[0]!.severity, /bypass/u);
	const {status, body} = await server.send(`/api/moves/${moved.id}/0`, {headers: server.headers()});
	const {before, after} = JSON.parse(body) as {readonly before: {readonly summary: string}; readonly after: {readonly summary: string}};
	t.is(status, 200);
	t.regex(before.summary, /15001/u);
	t.notRegex(after.summary, /15001/u);
	t.is(await server.statusOf(`/api/moves/${moved.id}/99`, {headers: server.headers()}), 404);
	const same = await compare('release:1.30', 'release:1.30');
	t.is(same.comparison?.outcome, 'equal');
	t.is(await server.actStatus({kind: 'compare', from: {kind: 'generated', input: '/etc/passwd'}, to: {kind: 'generated', input: 'release:1.30'}}), 409);
});

test.serial('one page acts at a time; who watches sees the same and changes nothing', async t => {
	await using server = await RunningServer.start(['--listen', '127.0.0.1']);
	await server.ready();
	t.is(await server.actStatus({kind: 'send', question: {kind: 'type', type: '1'}}), 200);
	t.is(await server.actStatus({kind: 'send', question: {kind: 'type', type: '2'}}, {'x-testbed-page': 'other'}), 409);
	t.is(await server.actStatus({kind: 'take'}, {'x-testbed-page': 'other'}), 200);
	t.is(await server.actStatus({kind: 'send', question: {kind: 'type', type: '2'}}, {'x-testbed-page': 'other'}), 200);
	t.is(await server.actStatus({kind: 'undo'}), 409);

	const token = new URL(server.watchUrl!).searchParams.get('token')!;
	const headers = server.headers(token);
	const hello = await server.send('/api/hello', {headers});
	t.regex(hello.body, /^\{"role":"watch","lessons":\[/u);
	const watched = await server.send('/api/state', {headers});
	t.is((JSON.parse(watched.body) as Snapshot).now?.name, '2 local-to-remote');
	for (const action of [{kind: 'send', question: {kind: 'type', type: '1'}}, {kind: 'take'}, {kind: 'view', view: {step: 1, panel: 'send', example: 0}}, {kind: 'undo'}]) {
		t.is(await server.actStatus(action, headers), 403); // eslint-disable-line no-await-in-loop -- One after the other.
	}

	t.is(await server.shown(state => state.view.step), null);
});

test.serial('of 1,000 connections that say nothing, none keeps a page out', async t => {
	await using server = await RunningServer.start();
	await server.ready();
	const sockets = Array.from({length: 1000}, (): Socket => {
		const socket = connect(server.port, '127.0.0.1');
		socket.on('error', () => undefined);
		return socket;
	});
	await until('most of them are closed again', () => sockets.filter(({destroyed}) => destroyed).length > 900 ? true : undefined);
	t.is(await server.actStatus({kind: 'send', question: {kind: 'type', type: '2'}}), 200);
	t.is(await server.shown(state => state.now?.outcome), 'pass');
	for (const socket of sockets) {
		socket.destroy();
	}

	const answers: number[] = [];
	for (let batch = 0; batch < 20; batch++) {
		const replies = await Promise.all(Array.from({length: 20}, async () => server.send('/api/hello', {headers: server.headers()}))); // eslint-disable-line no-await-in-loop -- As many at once as a browser would not.
		answers.push(...replies.map(({status}) => status));
	}

	t.true(answers.includes(429));
	t.true(answers.every(status => status === 200 || status === 429));
});

test.serial('a trace that is lost is inconclusive, for types, questions and guesses', async t => {
	await using server = await RunningServer.start(['--trace-buffer', '1']);
	const state = await server.ready();
	t.is(outcomes(state), 'inconclusive inconclusive inconclusive inconclusive inconclusive inconclusive');
	t.is(state.now?.outcome, 'inconclusive');
	t.regex(state.now!.reasons.join(' '), /lost|overflow/iu);
	await server.act({kind: 'predict', question: {kind: 'type', type: '2'}});
	await server.act({kind: 'guess', candidate: 8});
	const guessed = await server.state();
	t.deepEqual([guessed.prediction?.right, guessed.score], [null, {asked: 0, right: 0}]);
});

test.serial('the state as a file is a scenario that run takes, and fails where the page says so', async t => {
	await using server = await RunningServer.start();
	await server.ready();
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	t.teardown(cleanup);
	const save = async (name: string): Promise<string> => {
		const {status, headers, body} = await server.send('/api/scenario', {headers: server.headers()});
		t.is(status, 200);
		t.regex(String(headers['content-disposition']), /^attachment; filename="[\w-]+\.yaml"$/u);
		const file = path.join(folder, name);
		writeFileSync(file, body);
		return file;
	};

	const good = await testbed(['run', await save('good.yaml')]);
	t.is(good.exitCode, 0, good.stdout + good.stderr);
	await server.act({kind: 'edit', edit: {kind: 'delete', at: {...bypass, number: 9}}});
	const bad = await testbed(['run', await save('bad.yaml')]);
	t.is(bad.exitCode, 1, bad.stdout + bad.stderr);
	t.regex(bad.stdout, /local-to-remote/u);
	await server.act({kind: 'undo'});
	await server.act({kind: 'send', question: {kind: 'connection', from: 'app', to: 'remote:8080', uid: 1337}});
	const other = await testbed(['run', await save('other.yaml')]);
	t.is(other.exitCode, 0, other.stdout + other.stderr);
	t.regex(other.stdout, /app-1337/u);
});
