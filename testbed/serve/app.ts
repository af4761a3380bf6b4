/**
The routes of `testbed serve`: what is asked over HTTP, and how it is answered. Hono does what every server must (routes, cookies, limits of bodies, headers, event streams) in 20 kB and without a dependency; what is ours is who may ask.
*/

import type {Socket} from 'node:net';
import type {HttpBindings} from '@hono/node-server';
import {Hono, type Context} from 'hono';
import {bodyLimit} from 'hono/body-limit';
import {getCookie, setCookie} from 'hono/cookie';
import {secureHeaders} from 'hono/secure-headers';
import {InputError} from '../../src/parsing/input-error.js';
import type {
	Hello, NumberedView, Problem, Role,
} from '../../src/workshop/protocol.js';
import {readAction, rulesTextMax} from '../../src/workshop/requests.js';
import {TestbedError, type ErrorCode} from '../errors.js';
import type {PageFiles} from './page-files.js';
import {cookieName, decide, type GuardContext} from './guard.js';
import {RateLimit} from './rate.js';
import type {Session} from './session.js';
import {streamSession, type Viewers} from './viewers.js';

/** What the routes need. */
export type AppOptions = {
	readonly session: Session;
	readonly files: PageFiles;
	readonly viewers: Viewers;
	/** Asked at each request: the port is known once the server listens. */
	readonly guard: () => GuardContext;
	/** Told of every request that was let in, with its connection. */
	readonly onUse: (socket: Socket) => void;
};

/** Longest body of a request: rules of the greatest length, each character escaped. */
const bodyBytesMax = 2 * rulesTextMax;

/** Anybody, by address; and who acts. */
const anybodyRate = {burst: 200, perSecond: 50};
const actorRate = {burst: 40, perSecond: 15};

type Env = {readonly Variables: {role: Role}; readonly Bindings: HttpBindings};

const statusOf: Partial<Record<ErrorCode, 400 | 409 | 422 | 500>> = {
	USAGE: 409, INPUT: 422, RULES_REJECTED: 422, LIMIT: 422,
};

/** The application. */
export function createApp({session, files, viewers, guard, onUse}: AppOptions): Hono<Env> {
	const app = new Hono<Env>();
	const anybody = new RateLimit(anybodyRate);
	const acting = new RateLimit(actorRate);

	app.use(secureHeaders({
		contentSecurityPolicy: {
			defaultSrc: ['\'none\''], scriptSrc: ['\'self\''], styleSrc: ['\'self\''], imgSrc: ['\'self\''], connectSrc: ['\'self\''], baseUri: ['\'none\''], formAction: ['\'none\''], frameAncestors: ['\'none\''],
		},
		referrerPolicy: 'no-referrer',
		xFrameOptions: 'DENY',
		crossOriginResourcePolicy: 'same-origin',
		crossOriginOpenerPolicy: 'same-origin',
		// Plain HTTP on a machine's own address: there is nothing to be strict about.
		strictTransportSecurity: false,
	}));
	app.use(async (context, next) => {
		context.header('Cache-Control', 'no-store');
		const {incoming: {socket}} = context.env;
		const address = socket.remoteAddress;
		if (!anybody.take(address ?? '')) {
			return refused(context, 429, 'Too many requests at once.', 'Wait a second.');
		}

		const known = guard();
		const name = cookieName(known.port);
		const given = context.req.path === '/' ? context.req.query('token') : undefined;
		const decision = decide({
			method: context.req.method,
			host: context.req.header('host'),
			origin: context.req.header('origin'),
			fetchSite: given === undefined ? context.req.header('sec-fetch-site') : undefined,
			contentType: context.req.header('content-type'),
			token: given ?? getCookie(context, name),
			from: address,
		}, known);
		if ('status' in decision) {
			return refused(context, decision.status, decision.reason);
		}

		if (given !== undefined) {
			setCookie(context, name, given, {httpOnly: true, sameSite: 'Strict', path: '/'});
		}

		onUse(socket);
		context.set('role', decision.role);
		return next();
	});

	app.get('/', context => context.html(files.html));
	app.get('/page.js', context => context.body(files.script, 200, {'Content-Type': 'text/javascript; charset=utf-8'}));
	app.get('/page.css', context => context.body(files.style, 200, {'Content-Type': 'text/css; charset=utf-8'}));
	app.get('/icon.svg', context => context.body(files.icon, 200, {'Content-Type': 'image/svg+xml'}));
	app.get('/api/hello', context => context.json({role: context.get('role'), lessons: session.lessonEntries} satisfies Hello));
	app.get('/api/state', context => context.json(session.snapshot));
	app.get('/api/events', context => viewers.isFull
		? refused(context, 429, 'So many pages look on already that another one finds no room.')
		: streamSession(context, {session, viewers, page: context.get('role') === 'act' ? context.req.query('page') : undefined}));
	app.get('/api/moves/:comparison/:place', context => {
		const drawings = session.drawings(Number(context.req.param('comparison')), Number(context.req.param('place')));
		return drawings === undefined ? refused(context, 404, 'There is no such comparison any more.') : context.json(drawings);
	});
	app.get('/api/scenario', context => {
		const scenario = session.scenario();
		return scenario === undefined
			? refused(context, 404, 'Nothing was asked yet.')
			: context.body(scenario.text, 200, {'Content-Type': 'application/yaml; charset=utf-8', 'Content-Disposition': `attachment; filename="${scenario.name}"`});
	});
	app.post('/api/act', bodyLimit({
		maxSize: bodyBytesMax, onError: context => refused(context, 413, `A request has at most ${bodyBytesMax} bytes.`, 'testbed run and testbed probe take rules of any length.'),
	}), async context => {
		if (!acting.take('')) {
			return refused(context, 429, 'Too many requests at once.', 'Wait a second.');
		}

		const page = context.req.header('x-testbed-page') ?? '';
		if (!/^[\w-]{1,64}$/u.test(page)) {
			return refused(context, 400, 'A page says which one it is.');
		}

		return acted(context, async () => {
			await session.act(page, readAction(await jsonOf(context)));
			return session.view;
		});
	});
	app.notFound(context => refused(context, 404, 'There is nothing here.'));
	app.onError((error, context) => refused(context, 500, `The testbed has a bug: ${error.message}`));
	return app;
}

/** Any text but JSON is what a request holds by mistake. */
async function jsonOf(context: Context): Promise<unknown> {
	const text = await context.req.text();
	try {
		return JSON.parse(text) as unknown;
	} catch {
		throw new InputError('This request is not JSON');
	}
}

async function acted(context: Context, act: () => Promise<NumberedView>): Promise<Response> {
	try {
		return context.json(await act());
	} catch (error) {
		if (error instanceof InputError) {
			return refused(context, 422, error.message);
		}

		if (error instanceof TestbedError) {
			return refused(context, statusOf[error.code] ?? 500, error.message, error.hint);
		}

		throw error;
	}
}

function refused(context: Context, status: 400 | 401 | 403 | 404 | 409 | 413 | 415 | 422 | 429 | 500, message: string, hint: string | null = null): Response {
	// Whoever opens the page without a token is a person; all others are programs.
	return context.req.path === '/' && context.req.method === 'GET'
		? context.text(`${message}\n`, status)
		: context.json({message, hint} satisfies Problem, status);
}
