/**
Who may ask what. The server runs as root, so everything is refused that does not come from its own page: another site in the same browser (Origin, Sec-Fetch-Site, SameSite), a name that was made to point here (Host), anybody without the token.
*/

import {Buffer} from 'node:buffer';
import {randomBytes, timingSafeEqual} from 'node:crypto';
import {BlockList, isIP} from 'node:net';
import type {Role} from '../../src/workshop/protocol.js';

/** The tokens of a server, one for each role. */
export type Tokens = Readonly<Record<Role, string>>;

/** Makes tokens that nobody guesses: 192 bits each. */
export function createTokens(): Tokens {
	const token = (): string => randomBytes(24).toString('base64url');
	return {act: token(), watch: token()};
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether an address is one of this machine's own loopback. An IPv4 address can come as `::ffff:127.0.0.1`. */
export function isLoopback(address: string | undefined): boolean {
	const own = address?.replace(/^::ffff:(?=\d+\.)/iu, '') ?? '';
	const kind = isIP(own);
	return kind !== 0 && loopback.check(own, kind === 4 ? 'ipv4' : 'ipv6');
}

/** What decides whether a request is let in. */
export type GuardContext = {
	readonly tokens: Tokens;
	readonly port: number;
	/** The addresses of this machine that the server listens on, beside loopback. */
	readonly addresses: readonly string[];
	/** Whether anybody but this machine can watch. */
	readonly hasWatchers: boolean;
};

/** What a request says of itself. */
export type Asking = {
	readonly method: string;
	readonly host: string | undefined;
	readonly origin: string | undefined;
	readonly fetchSite: string | undefined;
	readonly contentType: string | undefined;
	readonly token: string | undefined;
	/** The address that it comes from. */
	readonly from: string | undefined;
};

/** A status and a sentence for what is refused, or the role of who asks. */
export type Decision = {readonly role: Role} | {readonly status: 400 | 401 | 403 | 415; readonly reason: string};

/** Decides on a request. */
export function decide({method, host, origin, fetchSite, contentType, token, from}: Asking, context: GuardContext): Decision {
	if (host === undefined || !hostsOf(context).has(host.toLowerCase())) {
		return {status: 403, reason: 'This server does not answer by that name. Open the URL that testbed serve has printed.'};
	}

	const isOwn = origin === undefined || origin.toLowerCase() === `http://${host.toLowerCase()}`;
	if (!isOwn || (fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none')) {
		return {status: 403, reason: 'Requests come from the server’s own page only.'};
	}

	const isChange = method !== 'GET' && method !== 'HEAD';
	// A form of another site could send neither of the two.
	if (isChange && origin === undefined) {
		return {status: 403, reason: 'A request that changes something says which page it comes from.'};
	}

	if (isChange && contentType?.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
		return {status: 415, reason: 'A request that changes something is JSON.'};
	}

	const role = roleOf(token, context);
	if (role === undefined) {
		return {status: 401, reason: 'Open the URL that testbed serve has printed: the token in it is missing here.'};
	}

	if (role === 'act' && !isLoopback(from)) {
		return {status: 403, reason: 'Who acts does so on the machine that runs testbed serve; from elsewhere one can watch, with the second URL.'};
	}

	return isChange && role === 'watch' ? {status: 403, reason: 'With this URL one can watch, and not change anything.'} : {role};
}

/** Whose token it is. */
function roleOf(token: string | undefined, {tokens, hasWatchers}: GuardContext): Role | undefined {
	if (isSame(token, tokens.act)) {
		return 'act';
	}

	return hasWatchers && isSame(token, tokens.watch) ? 'watch' : undefined;
}

/** In a time that does not tell how much of it is right. */
function isSame(one: string | undefined, other: string): boolean {
	const [first, second] = [Buffer.from(one ?? ''), Buffer.from(other)];
	return first.length === second.length && timingSafeEqual(first, second);
}

/** What a browser may call this server: addresses, and the one name that no DNS can point elsewhere. */
function hostsOf({port, addresses}: GuardContext): ReadonlySet<string> {
	const names = ['127.0.0.1', 'localhost', '[::1]', ...addresses.map(address => hostOf(address))];
	return new Set(names.flatMap(name => port === 80 ? [name, `${name}:80`] : [`${name}:${port}`]));
}

/** An address as the host of a URL. */
export function hostOf(address: string): string {
	return address.includes(':') ? `[${address.toLowerCase()}]` : address;
}

/** The cookie's name: browsers keep cookies by host and not by port. */
export function cookieName(port: number): string {
	return `testbed-${port}`;
}
