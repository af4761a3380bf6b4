/**
What can go wrong between the testbed and an API server, as sentences: by HTTP status, or by the code of the network's error.
*/

import {TestbedError} from '../errors.js';
import type {Connection} from './connect.js';
import {printPodName, type PodName} from './cluster-pod.js';

/** What was asked of the API, by the verb and the resource that a role must allow. */
export type Asked = {readonly verb: 'get' | 'patch' | 'create'; readonly resource: 'pods' | 'pods/ephemeralcontainers' | 'pods/exec'};

/** Where it was asked, and for which pod. `state` is what stands now. */
export type Asking = Asked & {readonly name: PodName; readonly connection: Pick<Connection, 'context' | 'server'>; readonly state?: string | undefined};

type Reason = {readonly message: string; readonly hint?: string};

/** The HTTP status of an answer: the client's own error has it as its code, and that of a WebSocket only in its text. */
function statusOf(error: unknown): number | undefined {
	const {code, message} = (error ?? {}) as {readonly code?: unknown; readonly message?: unknown};
	if (typeof code === 'number') {
		return code;
	}

	const status = typeof message === 'string' ? /Unexpected server response: (?<status>\d{3})/u.exec(message)?.groups?.['status'] : undefined;
	return status === undefined ? undefined : Number(status);
}

/** What the server said: the message of its Status object, if that is what it sent. */
function saidIn(error: unknown): string | undefined {
	const {body} = (error ?? {}) as {readonly body?: unknown};
	if (typeof body === 'object' && body !== null) {
		const {message} = body as {readonly message?: unknown};
		return typeof message === 'string' && message !== '' ? message : undefined;
	}

	if (typeof body !== 'string' || body === '') {
		return undefined;
	}

	try {
		const {message} = JSON.parse(body) as {readonly message?: unknown};
		return typeof message === 'string' ? message : undefined;
	} catch {
		return body.slice(0, 200);
	}
}

/** The code of the innermost error, where Node says what failed: `ECONNREFUSED`. */
function networkCodeOf(error: unknown): string | undefined {
	let found: string | undefined;
	const seen = new Set<unknown>();
	for (let at = error; typeof at === 'object' && at !== null && !seen.has(at);) {
		seen.add(at);
		const {code, cause, error: inner, errors} = at as {readonly code?: unknown; readonly cause?: unknown; readonly error?: unknown; readonly errors?: readonly unknown[]};
		found = typeof code === 'string' ? code : found;
		at = cause ?? inner ?? errors?.[0];
	}

	return found;
}

function messageOf(error: unknown): string {
	const {message} = (error ?? {}) as {readonly message?: unknown};
	return typeof message === 'string' && message !== '' ? message : String(error);
}

/** Codes of OpenSSL and Node for certificates that are not accepted. */
const isOfTls = /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)|EPROTO/u;

function ofStatus(status: number, error: unknown, {verb, resource, name, connection: {context}}: Asking): Reason {
	const said = saidIn(error);
	const tail = said === undefined ? '.' : `: ${said.replace(/\.?$/u, '.')}`;
	switch (status) {
		case 401: {
			return {message: `The API server does not accept the credentials of context ${context} (401)${tail}`, hint: 'They may have expired. Log in again as for kubectl; kubectl auth whoami shows who you are.'};
		}

		case 403: {
			return said !== undefined && /PodSecurity|violates|denied the request/u.test(said)
				? {message: `The cluster does not allow the debug container (403)${tail}`, hint: 'It runs as root with NET_ADMIN and NET_RAW. Without --debug-image, the rules are derived from the manifest.'}
				: {message: `Context ${context} may not ${verb} ${resource} in namespace ${name.namespace} (403)${tail}`, hint: `kubectl auth can-i ${verb} ${resource} --namespace ${name.namespace}     # a role must allow it`};
		}

		case 404: {
			return resource === 'pods/ephemeralcontainers' && said === undefined
				? {message: 'The cluster has no ephemeral containers (404): they exist since Kubernetes 1.25.', hint: 'Without --debug-image, the rules are derived from the manifest.'}
				: {message: `There is no pod ${name.pod} in namespace ${name.namespace} of context ${context} (404)${tail}`, hint: `kubectl get pods --namespace ${name.namespace} --context ${context}`};
		}

		default: {
			return {message: `The API server answered ${verb} ${resource} with status ${status}${tail}`};
		}
	}
}

function ofNetwork(error: unknown, {connection: {server, context}}: Asking): Reason {
	const code = networkCodeOf(error);
	if (messageOf(error).includes('HTTP protocol is not allowed')) {
		return {message: `The API server's address ${server} (context ${context}) is plain HTTP, which the client library allows only where the cluster says insecure-skip-tls-verify: true; kubectl always allows it.`, hint: `kubectl config set-cluster CLUSTER --insecure-skip-tls-verify     # of the context ${context}`};
	}

	const hint = `kubectl --context ${context} get --raw /version shows whether kubectl reaches it.`;
	if (code === 'ECONNREFUSED') {
		return {message: `Nothing listens at the API server's address ${server} (context ${context}): connection refused.`, hint: 'Is the cluster running, and is this the right context? --context NAME chooses another.'};
	}

	if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
		return {message: `The name of the API server ${server} (context ${context}) cannot be resolved.`, hint};
	}

	if (code !== undefined && isOfTls.test(code)) {
		return {message: `The certificate of the API server ${server} (context ${context}) is not accepted: ${messageOf(error)} (${code}).`, hint: 'The context\'s cluster needs the right certificate-authority in the kubeconfig.'};
	}

	// A program that the kubeconfig names for credentials, or that it does not have.
	return code === 'ENOENT'
		? {message: `The credentials of context ${context} come from a program that cannot be started: ${messageOf(error)}.`, hint: 'Install it as for kubectl, and keep it in PATH.'}
		: {message: `The API server ${server} (context ${context}) could not be asked: ${messageOf(error)}`, hint};
}

/** The error for a call that failed. */
export function faultOf(error: unknown, asking: Asking): TestbedError {
	if (error instanceof TestbedError) {
		return error;
	}

	const status = statusOf(error);
	const {message, hint} = status === undefined ? ofNetwork(error, asking) : ofStatus(status, error, asking);
	return new TestbedError('UNREADABLE', {
		message: `kubectl:${printPodName(asking.name)}: ${message}`, state: asking.state ?? 'Nothing was read, and nothing was changed.', ...(hint === undefined ? {} : {hint}), cause: error,
	});
}

/**
Waits for a call, and no longer than a limit.

@throws {TestbedError} UNREADABLE as {@link faultOf}, or for a server that does not answer.
*/
export async function asked<T>(call: () => Promise<T>, {limitMs, ...asking}: Asking & {readonly limitMs: number}): Promise<T> {
	let timer: NodeJS.Timeout | undefined;
	try {
		return await Promise.race([
			call(),
			new Promise<never>((_resolve, reject) => {
				timer = setTimeout(() => {
					reject(new TestbedError('UNREADABLE', {
						message: `kubectl:${printPodName(asking.name)}: the API server ${asking.connection.server} (context ${asking.connection.context}) did not answer ${asking.verb} ${asking.resource} within ${limitMs / 1000} s.`,
						state: asking.state ?? 'Nothing was read, and nothing was changed.',
						hint: 'Is the network (a VPN, a proxy) there? kubectl get --raw /readyz asks the same server.',
					}));
				}, limitMs);
			}),
		]);
	} catch (error) {
		throw faultOf(error, asking);
	} finally {
		clearTimeout(timer);
	}
}
