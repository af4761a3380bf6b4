/**
Shell commands to use a kept sandbox.
*/

import {factsOf} from '../../src/netfilter/backends.js';
import type {Backend} from '../../src/netfilter/types.js';
import {quote} from '../../src/report/terminal/shell-quote.js';
import type {Topology} from '../../src/mesh/topology.js';
import type {KeptSandbox} from './note.js';

/** A connection made by bash itself, because curl and nc may be missing. The testbed's listeners answer with who they are. */
function askBy({address, port}: {readonly address: string; readonly port: number}): string {
	return `bash -c 'cat </dev/tcp/${address}/${port}'`;
}

/** The text for standard error. `testbed` is how this program is called. */
export function printKept({id, namespaces, actors}: KeptSandbox, {testbed, backend, topology: {places, ports}, keepForMs}: {
	readonly testbed: string; readonly backend: Backend; readonly topology: Topology; readonly keepForMs?: number | undefined;
}): string {
	const nameOf = (label: string): string => namespaces.find(namespace => namespace.label === label)!.name;
	const [pod, remote] = [nameOf('pod'), nameOf('remote')];
	const inPod = (command: string): string => `ip netns exec ${pod} ${command}`;
	const {listCommand, traceStream} = factsOf(backend);
	const groups: ReadonlyArray<readonly [title: string, commands: readonly string[]]> = [
		['a shell as one of the actors', actors.filter(({namespace}) => namespace === 'pod' || namespace === 'remote').map(({name, uid}) => `${testbed} enter ${quote(name)}${' '.repeat(Math.max(1, 12 - name.length))}# uid ${uid}`)],
		['send from the app', [
			`${testbed} enter app -- ${askBy({address: places.remote.ipv4, port: ports.remote})}`,
			`${testbed} enter app -- curl -s --http0.9 http://${places.remote.ipv4}:${ports.remote}`,
		]],
		['the rules with their counters', [inPod(listCommand)]],
		traceStream === 'nft'
			? ['every rule that first packets hit, while you send from another terminal', [inPod('nft monitor trace')]]
			: ['nft monitor trace does not show rules of iptables-legacy; compare the counters instead', []],
		['packets', [inPod('tcpdump -nni any'), `ip netns exec ${remote} tcpdump -nni eth0`]],
		[`remove it${keepForMs === undefined ? '' : ' early'}`, [`${testbed} clean`]],
	];
	const duration = keepForMs === undefined ? 'until you remove it' : `for ${keepForMs / 1000} s`;
	return [
		`Kept as ${id}, with its listeners running, ${duration}.`,
		...groups.flatMap(([title, commands]) => ['', `  ${title}${commands.length === 0 ? '' : ':'}`, ...commands.map(command => `    ${command}`)]),
	].join('\n');
}
