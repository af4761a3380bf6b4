/**
A baseline that no machine has recorded, with everything in it that a baseline can hold.
*/

import type {Baseline, RecordedClass} from '../../src/baseline/baseline.js';
import {printBaseline} from '../../src/baseline/file.js';
import {parseReleaseInput} from '../../src/istio/options/arguments.js';
import {generate} from '../../src/istio/generate.js';
import type {Backend} from '../../src/netfilter/types.js';

const first: RecordedClass = {
	traffic: ['TCP into the pod'], probe: {
		origin: 'remote', family: 'ipv4', protocol: 'tcp', uid: undefined, gid: undefined, source: '10.244.1.20', sourcePort: undefined, destination: {address: '10.244.1.10', port: 8080}, mark: undefined,
	}, arrivals: ['proxy:15006', 'direct'], stops: ['proxy:15006', 'app:8080'], roles: [['inbound-jump'], ['outbound-jump', 'passthrough-source']],
};
const second: RecordedClass = {
	...first, traffic: ['TCP to elsewhere'], probe: {
		origin: 'pod', family: 'ipv6', protocol: 'udp', uid: 0, gid: 4_294_967_294, source: undefined, sourcePort: 53, destination: {address: '2001:db8::1', port: 1}, mark: 0x5_39,
	},
};

/** A baseline of the default rules with two classes and one connection. */
export function baselineOf(backend: Backend = 'iptables-nft'): Baseline {
	return {
		environment: {kernel: '6.18', node: '20.20.2'},
		rules: {
			source: 'release:1.30 -x "10.0.0.0/8"', source6: null, dnsServers: ['10.96.0.10'], release: '1.30', backend, sha256: 'ab', families: ['ipv4', 'ipv6'], markRules: [{
				family: 'ipv4', mark: 1337, table: 133, mask: 0xF_FF,
			}], ruleSet: generate({...parseReleaseInput('release:1.30'), families: ['ipv4', 'ipv6'], backend}),
		},
		proxy: {uid: 1337, gid: 1337},
		classes: [first, second],
		cases: [{
			of: 'types', id: '1', name: 'remote-to-local', family: 'ipv4', stops: ['proxy:15006'], roles: ['inbound-jump', null],
		}],
	};
}

/** Its file. */
export function baselineText(backend: Backend): string {
	return printBaseline(baselineOf(backend));
}
