import test from 'ava';
import {
	createTokens, decide, isLoopback, type Asking, type GuardContext,
} from '../../../../testbed/serve/guard.js';
import {RateLimit} from '../../../../testbed/serve/rate.js';

const tokens = createTokens();
const context: GuardContext = {
	tokens, port: 8137, addresses: ['192.168.1.20', 'fe80::1'], hasWatchers: true,
};
const get: Asking = {
	method: 'GET', host: '127.0.0.1:8137', origin: undefined, fetchSite: 'same-origin', contentType: undefined, token: tokens.act, from: '127.0.0.1',
};
const post: Asking = {
	...get, method: 'POST', origin: 'http://127.0.0.1:8137', contentType: 'application/json',
};
const answer = (asking: Partial<Asking>, base = get, known = context): string | number => {
	const decision = decide({...base, ...asking}, known);
	return 'status' in decision ? decision.status : decision.role;
};

const asked: ReadonlyArray<readonly [title: string, asking: Partial<Asking>, base: Asking, answer: string | number]> = [
	['the page', {}, get, 'act'],
	['by another name of this machine', {host: 'localhost:8137'}, get, 'act'],
	['by IPv6', {host: '[::1]:8137', from: '::1'}, get, 'act'],
	['typed in the address bar', {fetchSite: 'none'}, get, 'act'],
	['a program without Sec-Fetch-Site', {fetchSite: undefined}, get, 'act'],
	['a request of the page', {}, post, 'act'],
	['JSON with its charset', {contentType: 'application/json; charset=utf-8'}, post, 'act'],
	['who watches', {token: tokens.watch}, get, 'watch'],
	['who watches, from elsewhere', {token: tokens.watch, host: '192.168.1.20:8137', from: '192.168.1.77'}, get, 'watch'],
	['by the address that others use, here', {host: '192.168.1.20:8137', from: '127.0.0.1'}, get, 'act'],
	['a name that was made to point here', {host: 'evil.example:8137'}, get, 403],
	['a name of another port', {host: '127.0.0.1:80'}, get, 403],
	['a name without a port', {host: '127.0.0.1'}, get, 403],
	['no name', {host: undefined}, get, 403],
	['a longer name that ends like one of ours', {host: 'x127.0.0.1:8137'}, get, 403],
	['another site reads', {origin: 'http://evil.example', fetchSite: 'cross-site'}, get, 403],
	['another site of this machine reads', {fetchSite: 'same-site'}, get, 403],
	['another site reads without an origin', {fetchSite: 'cross-site'}, get, 403],
	['another site writes', {origin: 'http://evil.example'}, post, 403],
	['another port of this machine writes', {origin: 'http://127.0.0.1:9999'}, post, 403],
	['a page of a file writes', {origin: 'null'}, post, 403],
	['the same name by TLS writes', {origin: 'https://127.0.0.1:8137'}, post, 403],
	['a request that does not say where it comes from writes', {origin: undefined, fetchSite: undefined}, post, 403],
	['a form writes', {contentType: 'text/plain'}, post, 415],
	['a form writes without a type', {contentType: undefined}, post, 415],
	['no token', {token: undefined}, get, 401],
	['an empty token', {token: ''}, get, 401],
	['a wrong token of the same length', {token: 'x'.repeat(tokens.act.length)}, get, 401],
	['a token with something behind it', {token: `${tokens.act}x`}, get, 401],
	['who watches changes something', {token: tokens.watch}, post, 403],
	['who acts, from elsewhere', {from: '192.168.1.77', host: '192.168.1.20:8137'}, get, 403],
	['who acts, from nowhere', {from: undefined}, get, 403],
	['deletes what a page cannot delete', {method: 'DELETE', contentType: 'text/plain'}, post, 415],
];

for (const [title, asking, base, expected] of asked) {
	test(`who may ask: ${title}`, t => {
		t.is(answer(asking, base), expected);
	});
}

test('without --listen nobody can watch', t => {
	t.is(answer({token: tokens.watch}, get, {...context, addresses: [], hasWatchers: false}), 401);
	t.is(answer({host: '192.168.1.20:8137'}, get, {...context, addresses: [], hasWatchers: false}), 403);
});

test('tokens are long, and never equal', t => {
	const many = Array.from({length: 50}, () => createTokens()).flatMap(({act, watch}) => [act, watch]);
	t.is(new Set(many).size, 100);
	t.true(many.every(token => token.length >= 32));
});

test('loopback is distinguished from everything else', t => {
	t.deepEqual(['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'].map(address => isLoopback(address)), [true, true, true, true]);
	t.deepEqual(['10.0.0.1', '::2', '::ffff:10.0.0.1', '', '127.0.0.1.example', undefined].map(address => isLoopback(address)), [false, false, false, false, false, false]);
});

test('a bucket accepts what fits, and fills again', t => {
	let now = 0;
	const limit = new RateLimit({burst: 3, perSecond: 2}, () => now);
	t.deepEqual([1, 2, 3, 4].map(() => limit.take('a')), [true, true, true, false]);
	t.true(limit.take('b'));
	now = 400;
	t.false(limit.take('a'));
	now = 1100;
	t.deepEqual([1, 2, 3].map(() => limit.take('a')), [true, true, false]);
	for (let index = 0; index < 3000; index++) {
		limit.take(String(index));
		now += 1000;
	}

	t.true(limit.take('a'));
});
