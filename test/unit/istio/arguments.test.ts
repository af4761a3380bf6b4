import test from 'ava';
import {parseReleaseInput, parseReleaseInputs, parseSidecarArguments} from '../../../src/istio/arguments.js';
import {flags} from '../../../src/istio/flags.js';
import {InputError} from '../../../src/istio/input-error.js';
import {defaultOptions, injectedArguments, type SidecarOptions} from '../../../src/istio/options.js';
import {splitShellWords} from '../../../src/istio/shell-words.js';

const injected: SidecarOptions = {
	...defaultOptions, inboundPortsInclude: '*', inboundPortsExclude: ['15090', '15021', '15020'], outboundIpRangesInclude: '*',
};

test('a release alone has the options of an injected sidecar', t => {
	t.deepEqual(parseReleaseInput('release:1.30.3').options, injected);
	t.is(parseReleaseInput('release:').release.name, '1.30');
	t.deepEqual(parseSidecarArguments({argv: injectedArguments}), injected);
	t.deepEqual(parseSidecarArguments({argv: []}), defaultOptions);
});

test('all releases are asked one by one', t => {
	t.deepEqual(parseReleaseInputs('release:all -u 5').map(({release, options}) => [release.name, options.proxyUids]), [['1.30', [5]]]);
	t.is(parseReleaseInputs('release:1.30').length, 1);
});

for (const [text, expected] of [
	['-u 64535,1337 -d 15090,15020', {proxyUids: [64_535, 1337], proxyGids: [64_535, 1337], inboundPortsExclude: ['15090', '15020']}],
	['-u1 -g2', {proxyUids: [1], proxyGids: [2]}],
	['-u=1', {proxyUids: [1], proxyGids: [1]}],
	['--proxy-uid=1 --proxy-gid 2', {proxyUids: [1], proxyGids: [2]}],
	['-u 5 -u ""', {proxyUids: [1337], proxyGids: [1337]}],
	['-u 5 -g 6 -g ""', {proxyUids: [5], proxyGids: [5]}],
	['-u ,', {proxyUids: [], proxyGids: []}],
	['-p 1 -z 2 -e 3', {proxyPort: 1, inboundCapturePort: 2, inboundTunnelPort: 3}],
	['-m TPROXY -t 7 -r 8', {inboundInterceptionMode: 'TPROXY', inboundTproxyMark: 7, inboundTproxyRouteTable: 8}],
	['-b 80,,9000:9010', {inboundPortsInclude: ['80', '9000:9010']}],
	['-b ""', {inboundPortsInclude: []}],
	['-i 10.0.0.0/8,2001:db8::/32 -x 10.1.0.0/16', {outboundIpRangesInclude: ['10.0.0.0/8', '2001:db8::/32'], outboundIpRangesExclude: ['10.1.0.0/16']}],
	['-q 443 -o 25 -c eth1,eth2 -k vm0', {
		outboundPortsInclude: ['443'], outboundPortsExclude: ['25'], excludeInterfaces: ['eth1', 'eth2'], kubeVirtInterfaces: ['vm0'],
	}],
	['--redirect-dns --capture-all-dns=true --drop-invalid --dual-stack', {
		redirectDns: true, captureAllDns: true, dropInvalid: true, dualStack: true,
	}],
	['--redirect-dns --redirect-dns=false', {redirectDns: false}],
	['REDIRECT_DNS=true ISTIO_META_DNS_CAPTURE=false', {redirectDns: false}],
	['REDIRECT_DNS=true --redirect-dns=false', {redirectDns: false}],
	['ISTIO_META_DNS_CAPTURE=1 INVALID_DROP=T ISTIO_DUAL_STACK=TRUE', {redirectDns: true, dropInvalid: true, dualStack: true}],
	['ISTIO_OUTBOUND_PORTS=443', {outboundPortsInclude: ['443']}],
	['PROXY_UID=5', {}],
	['ISTIO_OUTBOUND_OWNER_GROUPS=101,202 ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE=5', {ownerGroupsInclude: ['101', '202'], ownerGroupsExclude: ['5']}],
	['ISTIO_OUTBOUND_OWNER_GROUPS=', {ownerGroupsInclude: []}],
	['ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=127.0.0.1/8', {hostIpv4LoopbackCidr: '127.0.0.1/8'}],
	['--run-validation --iptables-probe-port 15002 --reconcile --dry-run=false -n=false', {}],
	['--force-iptables-binary nft', {}],
] as ReadonlyArray<readonly [string, Partial<SidecarOptions>]>) {
	test(`release:1.30 ${text}`, t => {
		t.deepEqual(parseReleaseInput(`release:1.30 ${text}`).options, {...injected, ...expected});
	});
}

test('assignments may stand in front of the release', t => {
	t.is(parseReleaseInput('DROP_INVALID=true release:1.30').options.dropInvalid, true);
});

for (const [text, message] of [
	['release:1.9', /^release: unknown release "1.9"; known are 1\.30/],
	['release:all', /^release: "all"/],
	['1.30', /^release: .*does not begin with release:/],
	['', /^release: /],
	['release:1.30 --nope', /^--nope: .*no such flag$/],
	['release:1.30 -y', /^-y: .*no such flag$/],
	['release:1.30 -u', /^-u: a value is missing/],
	['release:1.30 --proxy-uid', /^--proxy-uid: a value is missing/],
	['release:1.30 -u 1 stray', /"stray" is no flag/],
	['release:1.30 --redirect-dns true', /"true" is no flag/],
	['release:1.30 -u 1 A=b', /"A=b" is no flag/],
	['release:1.30 NOPE=1', /^NOPE: .*no such environment variable$/],
	['release:1.30 ISTIO_HOST_IPV4_LOOPBACK_CIDR=127.0.0.0/8', /no such environment variable$/],
	['release:1.30 -u "1', /a quote " that is never closed/],
	['release:1.30 -u \'1', /a quote ' that is never closed/],
	['release:1.30 -u 1\\', /a backslash at the end/],
	['release:1.30 -u root', /^-u: bad uid "root"/],
	['release:1.30 -g 4294967295', /^-g: bad gid/],
	['release:1.30 -u 1-5', /^-u: "1-5" is a range/],
	['release:1.30 PROXY_GID=x', /^PROXY_GID: bad/],
	['release:1.30 -p http', /^-p: bad port "http"/],
	['release:1.30 -b 80,*', /^-b: bad port "\*"/],
	['release:1.30 -q 5:3', /^-q: bad port range/],
	['release:1.30 -m tproxy', /^-m: "tproxy" is neither REDIRECT nor TPROXY/],
	['release:1.30 -t 0x539', /^-t: "0x539" is no decimal number/],
	['release:1.30 -r 4294967296', /^-r: .*is no decimal number/],
	['release:1.30 -x *', /^-x: "\*" cannot be excluded.*OUTBOUND_IP_RANGES_EXCLUDE/],
	['release:1.30 -i 10.0.0.1', /^-i: "10.0.0.1" is no CIDR/],
	['release:1.30 -i 10.0.0.0/8,*', /^-i: "\*" is no CIDR/],
	['release:1.30 -i "10.0.0.0/8, 10.0.0.0/9"', /^-i: " 10.0.0.0\/9" is no CIDR/],
	['release:1.30 -x 10.0.0.0/255.0.0.0', /^-x: .*is no CIDR/],
	['release:1.30 -c interface-name-too-long', /^-c: bad interface name/],
	['release:1.30 -k "a b"', /^-k: bad interface name "a b"/],
	['release:1.30 --redirect-dns=maybe', /^--redirect-dns: "maybe" is neither true nor false$/],
	['release:1.30 CAPTURE_ALL_DNS=maybe', /^CAPTURE_ALL_DNS: /],
	[`release:1.30 ISTIO_OUTBOUND_OWNER_GROUPS=${Array.from({length: 65}, (_, index) => index).join(',')}`, /number of groups to redirect cannot exceed 64, got 65$/],
	['release:1.30 ISTIO_OUTBOUND_OWNER_GROUPS=mail', /^ISTIO_OUTBOUND_OWNER_GROUPS: the group name "mail"/],
	['release:1.30 ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE=4294967295', /^ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE: bad gid/],
	['release:1.30 ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=127.0.0.1', /is no CIDR/],
	['release:1.30 ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=::1/128', /expected valid IPv4 loopback address/],
	['release:1.30 ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=10.0.0.0/8', /expected valid IPv4 loopback address/],
	['release:1.30 ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=127.0.0.0/7', /expected mask in range \[8, 32]/],
	['release:1.30 ENVOY_USER=me', /^ENVOY_USER: /],
	['release:1.30 -n', /^-n: with it no rule is written$/],
	['release:1.30 --skip-rule-apply', /^--skip-rule-apply: /],
	['release:1.30 --cleanup-only', /^--cleanup-only: /],
	['release:1.30 --native-nftables', /^--native-nftables: .*not implemented yet$/],
	['release:1.30 --force-iptables-binary new', /^--force-iptables-binary: invalid FORCE_IPTABLES_BINARY value/],
] as const) {
	test(`refuses: ${text.slice(0, 90)}`, t => {
		t.throws(() => parseReleaseInput(text), {instanceOf: InputError, message});
	});
}

test('no flag and no variable is named twice', t => {
	const names = flags.flatMap(({long, short, environment}) => [...(long === undefined ? [] : [long]), ...(short === undefined ? [] : [short]), ...environment]);
	t.is(new Set(names).size, names.length);
});

for (const [text, words] of [
	['a  b\tc', ['a', 'b', 'c']],
	['\'a b\' "c d"', ['a b', 'c d']],
	['a"b c"d', ['ab cd']],
	['\'\' ""', ['', '']],
	[String.raw`a\ b "c\"d\e" 'f\g'`, ['a b', String.raw`c"d\e`, String.raw`f\g`]],
	['-x "" -b *', ['-x', '', '-b', '*']],
	['', []],
] as ReadonlyArray<readonly [string, readonly string[]]>) {
	test(`shell words of ${JSON.stringify(text)}`, t => {
		t.deepEqual(splitShellWords(text), words);
	});
}
