/**
Finds the program that is the proxy in the stub's place, by its name in options. Each is loaded only if it is asked for.
*/

import type {OtherProxy, Proxy} from './proxy.js';

/** Makes a proxy of the program in a file; without one, each looks where it usually is. */
type Finder = (file: string | undefined) => Promise<Proxy>;

const finders: Readonly<Record<OtherProxy, Finder>> = {
	async envoy(file) {
		const {envoyProxy} = await import('./envoy/process.js');
		return envoyProxy(file);
	},
};

/**
The proxy of that name.

@throws {TestbedError} MISSING_PROGRAM or INPUT if there is no such program on this machine.
*/
export async function findProxy(name: OtherProxy, file?: string): Promise<Proxy> {
	return finders[name](file);
}
