import test from 'ava';
import {parseReleaseInput, parseReleaseInputs, parseSidecarArguments, readSidecarArguments} from '../../../../src/istio/options/arguments.js';
import {flags} from '../../../../src/istio/options/flags.js';
import {InputError} from '../../../../src/parsing/input-error.js';
import {defaultOptions, injectedArguments, type SidecarOptions} from '../../../../src/istio/options/options.js';
import {
	compareVersions, findRelease, livesIn, newestRelease, releaseLines, unknownNote,
} from '../../../../src/istio/releases.js';
import {splitShellWords} from '../../../../src/parsing/shell-words.js';
import {newest, newestPatch, unknown} from '../../../helpers/releases.js';

const injected: SidecarOptions = {
	...defaultOptions, inboundPortsInclude: '*', inboundPortsExclude: ['15090', '15021', '15020'], outboundIpRangesInclude: '*',
};

test('a release alone has the options of an injected sidecar', t => {
	t.deepEqual(parseReleaseInput('release:1.30.3').options, injected);
	t.is(parseReleaseInput('release:latest').release.name, newest);
	t.deepEqual(parseSidecarArguments({argv: injectedArguments}), injected);
	t.deepEqual(parseSidecarArguments({argv: []}), defaultOptions);
});

test('release:all gives all releases, one by one', t => {
	const {inputs, refused} = parseReleaseInputs('release:all -u 5');
	t.deepEqual(refused, []);
	t.deepEqual(inputs.map(({release, options}) => [release.name, options.proxyUids]), Array.from({length: 27}, (_, index) => [`1.${index + 5}`, [5]]));
	t.deepEqual(inputs.map(({options}) => options.inboundPortsExclude.length), [2, ...Array.from({length: 26}, () => 3)]);
	const some = parseReleaseInputs('release:all --redirect-dns');
	t.deepEqual(some.refused.map(({release}) => release.name), ['1.5', '1.6', '1.7', '1.8']);
	t.regex(some.refused[0]?.reason ?? '', /^--redirect-dns: unknown flag: --redirect-dns; istio-iptables 1\.5\.10 does not know it/);
	t.is(some.inputs.length, 23);
	t.throws(() => parseReleaseInputs('release:all --nope'), {instanceOf: InputError, message: /^--nope: unknown flag: --nope/});
	t.is(parseReleaseInputs('release:1.30').inputs.length, 1);
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
	['ISTIO_OUTBOUND_OWNER_GROUPS=mail,7', {ownerGroupsInclude: ['8', '7']}],
	['--run-validation --iptables-probe-port 15002 --probe-timeout 1m30s --reconcile --dry-run=false -n=false --log_output_level=default:info', {}],
	['-b "80, 443" -u " 5" -c " eth1"', {
		inboundPortsInclude: ['80', '443'], proxyUids: [5], proxyGids: [5], excludeInterfaces: ['eth1'],
	}],
	['-m REDIRECT -t 0x539', {}],
	['-m tproxy', {}],
	['-u proxy -g mail', {proxyUids: [13], proxyGids: [8]}],
	['-u istio-proxy', {proxyUids: [1337], proxyGids: [1337]}],
	['ENVOY_USER=mail -u ""', {proxyUids: [8], proxyGids: [8]}],
	['ENVOY_USER=me -u ""', {proxyUids: [1337], proxyGids: [1337]}],
	['NOPE=1', {}],
	['-u 1 stray', {proxyUids: [1], proxyGids: [1]}],
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
	['release:1.4', /^release 1\.4 is older than 1\.5, the oldest one known; the nearest is 1\.5$/],
	['release:', `no version was given; write one as ${newest} or ${newestPatch}, or latest for the newest one known`],
	['release:all', /^release: "all"/],
	['1.30', /^release: .*does not begin with release:/],
	['', /^release: /],
	['release:1.30 --nope', /^--nope: unknown flag: --nope$/],
	['release:1.30 -yes', /^-y: unknown shorthand flag: 'y' in -yes$/],
	['release:1.30 -u', /^-u: flag needs an argument: 'u' in -u$/],
	['release:1.30 --proxy-uid', /^--proxy-uid: flag needs an argument: --proxy-uid$/],
	['release:1.30 -u "1', /a quote " that is never closed/],
	['release:1.30 -u \'1', /a quote ' that is never closed/],
	['release:1.30 -u 1\\', /a backslash at the end/],
	['release:1.30 -u me', /^-u: bad uid "me": only the pod knows the number of this user/],
	['release:1.30 -g 4294967295', /^-g: bad gid/],
	['release:1.30 -u 1-5', /^-u: "1-5" is a range/],
	['release:1.30 PROXY_GID=x', /^PROXY_GID: bad/],
	['release:1.30 -p http', /^-p: bad port "http"/],
	['release:1.30 -b 80,*', /^-b: bad port "\*"/],
	['release:1.30 -q 5:3', /^-q: bad port range/],
	['release:1.30 -m TPROXY -t 0x539', /^-t: "0x539" is not a decimal number/],
	['release:1.30 -m TPROXY -r 4294967296', /^-r: .*is not a decimal number/],
	['release:1.30 -x *', /^-x: "\*" cannot be excluded.*OUTBOUND_IP_RANGES_EXCLUDE/],
	['release:1.30 -i 10.0.0.1', /^-i: "10.0.0.1" is not a CIDR/],
	['release:1.30 -i 10.0.0.0/8,*', /^-i: "\*" is not a CIDR/],
	['release:1.30 -i "10.0.0.0/8, 10.0.0.0/9"', /^-i: " 10.0.0.0\/9" is not a CIDR/],
	['release:1.30 -x 10.0.0.0/255.0.0.0', /^-x: .*is not a CIDR/],
	['release:1.30 -c interface-name-too-long', /^-c: bad interface name/],
	['release:1.30 -k "a b"', /^-k: bad interface name "a b"/],
	['release:1.30 --redirect-dns=maybe', /^--redirect-dns: "maybe" is neither true nor false$/],
	[`release:1.30 ISTIO_OUTBOUND_OWNER_GROUPS=${Array.from({length: 65}, (_, index) => index).join(',')}`, /number of groups to redirect cannot exceed 64, got 65$/],
	['release:1.30 ISTIO_OUTBOUND_OWNER_GROUPS=java', /^ISTIO_OUTBOUND_OWNER_GROUPS: bad gid "java": only the pod knows the number of this group/],
	['release:1.30 ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE=4294967295', /^ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE: bad gid/],
	['release:1.30 ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=127.0.0.1', /is not a CIDR/],
	['release:1.30 ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=::1/128', /expected valid IPv4 loopback address/],
	['release:1.30 ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=10.0.0.0/8', /expected valid IPv4 loopback address/],
	['release:1.30 ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=127.0.0.0/7', /expected mask in range \[8, 32]/],
	['release:1.30 ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=', /is not a CIDR/],
	['release:1.27 -i 10.0.0.1', /^-i: "10.0.0.1" is not a CIDR/],
	['release:1.30 -i 10.0.0.0/08', /is not a CIDR/],
	['release:1.30 -b "80, ,443"', /^-b: bad port/],
	['release:1.30 --probe-timeout soon', /^--probe-timeout: invalid argument "soon"/],
	['release:1.30 --iptables-probe-port x', /^--iptables-probe-port: bad port/],
	['release:1.10.6 --capture-all-dns', /^--capture-all-dns: unknown flag: --capture-all-dns; istio-iptables 1\.10\.6 does not know it, other releases do$/],
	['release:1.14 -c eth1', /^-c: unknown shorthand flag: 'c' in -c; istio-iptables 1\.14\.6 does not know it/],
	['release:1.11.2 --istio-exclude-interfaces eth1', /unknown flag: --istio-exclude-interfaces/],
	['release:1.19.0 --dual-stack', /unknown flag: --dual-stack/],
	['release:1.26 --native-nftables', /unknown flag: --native-nftables/],
	['release:1.24 --restore-format', /unknown flag: --restore-format/],
	['release:1.20 --iptables-trace-logging', /^--iptables-trace-logging: it adds a logging rule/],
	['release:1.20 IPTABLES_TRACE_LOGGING=true', /^IPTABLES_TRACE_LOGGING: it adds a logging rule/],
	['release:1.30 --force-iptables-binary new', /^--force-iptables-binary: invalid FORCE_IPTABLES_BINARY value/],
] as const) {
	test(`refuses: ${text.slice(0, 90)}`, t => {
		t.throws(() => parseReleaseInput(text), {instanceOf: InputError, message});
	});
}

for (const [text, expected] of [
	['release:1.30 NOPE=1', [/^NOPE: istio-iptables 1\.30\.3 reads no such environment variable, so it has no effect$/]],
	['release:1.13 ISTIO_OUTBOUND_OWNER_GROUPS=5', [/^ISTIO_OUTBOUND_OWNER_GROUPS: istio-iptables 1\.13\.9 reads no such .*; other releases do$/]],
	['release:1.30 ENVOY_PORT=1', [/^ENVOY_PORT: .*reads no such/]],
	['release:1.30 CAPTURE_ALL_DNS=maybe', [/^CAPTURE_ALL_DNS: "maybe" is neither true nor false; istio-iptables 1\.30\.3 ignores it$/]],
	['release:1.18 CAPTURE_ALL_DNS=maybe', [/treats it as false$/]],
	['release:1.18 ISTIO_META_DNS_CAPTURE=maybe', [/ignores it$/]],
	['release:1.18 ISTIO_INBOUND_PORTS=', [/^ISTIO_INBOUND_PORTS: istio-iptables 1\.18\.7 treats an empty environment variable as unset$/]],
	['release:1.30 -u 1 stray', [/^"stray" is neither a flag nor the value of one, so istio-iptables ignores it/]],
	['release:1.30 --redirect-dns true', [/^"true" is neither a flag/]],
	['release:1.30 -u 1 A=b', [/^"A=b" is neither a flag.*NAME=value before the first flag$/]],
	['release:1.30 -u 1 -- -u 2', [/^"-u" is neither a flag/, /^"2" is neither a flag/]],
	['release:1.30 -m tproxy', [/^-m: "tproxy" is neither REDIRECT nor TPROXY; istio-iptables treats it as REDIRECT$/]],
	['release:1.26 -x -b *', [/^"\*" is neither a flag/, /^-x: the next word "-b" is taken as its value/, /^-x: "-b" is not a CIDR.*1\.26 skips it/]],
	['release:1.26 -i 10.0.0.1', [/^-i: "10\.0\.0\.1" is not a CIDR.*skips it with a message on stderr$/]],
	['release:1.30 -u 64535,1337', [/^--proxy-uid: the rules of UID 64535 come first, .*matches what UID 1337 sends to the pod itself/]],
	['release:1.30 -u 1337,1337', []],
	['release:1.30 -u ,', [/^--proxy-uid: the list has no UID/]],
	['release:1.30 -u mail', [/^-u: "mail" is taken as uid 8/]],
	['release:1.30 ENVOY_USER=mail -u ""', [/^ENVOY_USER: "mail" is taken as uid 8/]],
	['release:1.30 ENVOY_USER=me -u ""', [/^ENVOY_USER: user "me" is not known here, so the UID is 1337/]],
	['release:1.30 ENVOY_USER=me', []],
	['release:1.30 ISTIO_OUTBOUND_OWNER_GROUPS=', [/^ISTIO_OUTBOUND_OWNER_GROUPS: without a group, its rule is an unconditional RETURN/]],
	['release:1.18 ISTIO_OUTBOUND_OWNER_GROUPS=', [/treats an empty environment variable as unset$/]],
	['release:1.30 ISTIO_OUTBOUND_OWNER_GROUPS=5 ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE=6', [/^ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE: it is ignored/]],
	['release:1.30 -i 127.0.0.0/8', [/^--istio-service-cidr: 127\.0\.0\.0\/8 has a loopback address, so the rules/]],
	['release:1.5 -i 127.0.0.0/8', []],
	['release:1.30 --capture-all-dns', [/^--capture-all-dns: it has no effect without --redirect-dns$/]],
	['release:1.30 --native-nftables -b 9000:9010,80 -q 1:2', [/^--istio-inbound-ports: the range 9000:9010 .*rejects all rules$/, /^--istio-outbound-ports: the range 1:2/]],
	['release:1.30 -b 9000:9010', []],
	['release:1.30 --dry-run', [/^--dry-run: no rule is written with it, so the rule set is empty$/]],
	['release:1.30 --cleanup-only', [/^--cleanup-only: rules are only removed with it/]],
] as ReadonlyArray<readonly [string, readonly RegExp[]]>) {
	test(`warns: ${text}`, t => {
		const {warnings} = parseReleaseInput(text);
		t.is(warnings.length, expected.length, warnings.join('\n'));
		for (const [index, pattern] of expected.entries()) {
			t.regex(warnings[index] ?? '', pattern);
		}
	});
}

// Which of several values wins, and what an empty or unreadable one means, changed with the library that reads them.
for (const [version, environment, argv, expected] of [
	['1.19.4', {REDIRECT_DNS: 'false', ISTIO_META_DNS_CAPTURE: 'true'}, [], {redirectDns: false}],
	['1.19.5', {REDIRECT_DNS: 'false', ISTIO_META_DNS_CAPTURE: 'true'}, [], {redirectDns: true}],
	['1.20.0', {REDIRECT_DNS: 'false', ISTIO_META_DNS_CAPTURE: 'true'}, [], {redirectDns: false}],
	['1.20.1', {REDIRECT_DNS: 'false', ISTIO_META_DNS_CAPTURE: 'true'}, [], {redirectDns: true}],
	['1.20.0', {ENVOY_PORT: '9'}, [], {proxyPort: 9}],
	['1.20.1', {ENVOY_PORT: '9'}, [], {}],
	['1.18', {ENVOY_PORT: '9'}, ['-p', '8'], {proxyPort: 8}],
	['1.18', {REDIRECT_DNS: 'garbage', ISTIO_META_DNS_CAPTURE: 'true'}, [], {redirectDns: false}],
	['1.30', {REDIRECT_DNS: 'true', ISTIO_META_DNS_CAPTURE: 'garbage'}, [], {redirectDns: true}],
	['1.18', {ISTIO_OUTBOUND_OWNER_GROUPS: ''}, [], {}],
	['1.30', {ISTIO_OUTBOUND_OWNER_GROUPS: ''}, [], {ownerGroupsInclude: []}],
	['1.17', {ISTIO_AGENT_DUAL_STACK: 'true'}, [], {dualStack: true}],
	['1.19.1', {ISTIO_AGENT_DUAL_STACK: 'true'}, [], {}],
	['1.30', {DRY_RUN: 'true'}, [], {writesNothing: true}],
	['1.7', {}, [], {proxyUids: [1337, 0], proxyGids: [1337, 0]}],
	['1.7', {}, ['-u', '5'], {proxyUids: [5], proxyGids: [5]}],
	['1.8', {}, [], {}],
	['1.26', {}, ['-i', '10.0.0.1'], {}],
] as ReadonlyArray<readonly [string, Readonly<Record<string, string>>, readonly string[], Partial<SidecarOptions>]>) {
	test(`${version} ${JSON.stringify(environment)} ${argv.join(' ')}`, t => {
		t.deepEqual(readSidecarArguments({argv, environment, release: findRelease(version)}).options, {...defaultOptions, ...expected});
	});
}

test('native nftables is requested by a flag or a variable', t => {
	t.true(parseReleaseInput('release:1.27 --native-nftables').native);
	t.true(parseReleaseInput('release:1.30 NATIVE_NFTABLES=true').native);
	t.false(parseReleaseInput('release:1.30 NATIVE_NFTABLES=true --native-nftables=false').native);
	t.false(parseReleaseInput('release:1.30').native);
});

test('releases are found by line and by patch', t => {
	t.deepEqual(findRelease('latest'), newestRelease);
	t.is(findRelease('1.24').patch, '1.24.6');
	t.is(findRelease('1.10.2').features.dnsZones, 'never');
	t.is(findRelease('1.10').features.dnsZones, 'asked');
	t.deepEqual(releaseLines.filter(({basis}) => basis === 'derived').map(({name}) => name), ['1.5', '1.6', '1.7', '1.8', '1.9', '1.13', '1.14', '1.17']);
});

for (const [text, asked, patch, note] of [
	['1.5', '1.5', '1.5.10', undefined],
	[newest, newest, newestPatch, undefined],
	['1.29.3', '1.29.3', '1.29.3', undefined],
	[`v${newest}`, newest, newestPatch, undefined],
	['v1.29.3-distroless', '1.29.3', '1.29.3', undefined],
	[`${newestPatch}-rc.1`, newestPatch, newestPatch, undefined],
	[`${newest}-alpha.7f3c`, newest, newestPatch, undefined],
	['1.29.3+build.5', '1.29.3', '1.29.3', undefined],
	[unknown, newest, newestPatch, `${unknown} is newer than the known releases: these are the rules of ${newest}.`],
	['v1.34.1-distroless', newest, newestPatch, `1.34.1 is newer than the known releases: these are the rules of ${newest}.`],
	// By its parts: as a text 1.100 stands before 1.31, and as a number too.
	['1.100', newest, newestPatch, `1.100 is newer than the known releases: these are the rules of ${newest}.`],
	['2.0', newest, newestPatch, `2.0 is newer than the known releases: these are the rules of ${newest}.`],
	['10.1', newest, newestPatch, `10.1 is newer than the known releases: these are the rules of ${newest}.`],
	[`1.${'9'.repeat(400)}`, newest, newestPatch, `1.${'9'.repeat(400)} is newer than the known releases: these are the rules of ${newest}.`],
	[`${newest}.99`, newestPatch, newestPatch, `${newest}.99 is newer than the known releases: these are the rules of ${newestPatch}.`],
	['1.24.10', '1.24.6', '1.24.6', '1.24.10 is newer than the known releases: these are the rules of 1.24.6.'],
] as const) {
	test(`the release of ${text.slice(0, 20)}`, t => {
		const release = findRelease(text);
		t.deepEqual([release.asked, release.patch, release.note], [asked, patch, note]);
		t.deepEqual(release.features, findRelease(asked).features);
	});
}

for (const [text, message] of [
	['', `no version was given; write one as ${newest} or ${newestPatch}, or latest for the newest one known`],
	['1.4', /^release 1\.4 is older than 1\.5, the oldest one known; the nearest is 1\.5$/],
	['1.4.9', /^release 1\.4\.9 is older than 1\.5/],
	['v1.0', /^release v1\.0 is older than 1\.5/],
	['0.99', /^release 0\.99 is older than 1\.5/],
	['1.30.x', /^"1\.30\.x" is not a version \(did you mean 1\.30\?\); write one as/],
	['v1.30.', /^"v1\.30\." is not a version \(did you mean 1\.30\?\)/],
	['lates', /^"lates" is not a version \(did you mean latest\?\)/],
	['1', /^"1" is not a version; write/],
	['1.05', /^"1\.05" is not a version; write/],
	['1.30.3.4', /^"1\.30\.3\.4" is not a version \(did you mean 1\.30\?\)/],
	['master', /^"master" is not a version; write/],
	['-1.30', /^"-1\.30" is not a version; write/],
] as const) {
	test(`no release: ${JSON.stringify(text)}`, t => {
		t.throws(() => findRelease(text), {instanceOf: InputError, message});
	});
}

test('versions are ordered by their numbers', t => {
	t.deepEqual(['1.9', '1.10', '1.31.0', '1.5.10', '2.0', '1.31'].toSorted(compareVersions), ['1.5.10', '1.9', '1.10', '1.31.0', '1.31', '2.0']);
	const names = releaseLines.map(({name}) => name);
	t.deepEqual(names.toSorted(compareVersions), names);
});

test('no line between the known ones is left out, and a version between two known ones is not called newer', t => {
	t.deepEqual(releaseLines.map(({name}) => name), releaseLines.map((_, index) => `1.${index + 5}`));
	t.is(unknownNote('1.32', {known: '1.31', newest: '1.33'}), '1.32 is not one of the known releases: these are the rules of 1.31, the nearest one before it.');
	t.is(unknownNote('1.34', {known: '1.33', newest: '1.33'}), '1.34 is newer than the known releases: these are the rules of 1.33.');
});

test('1.31 writes what 1.30 writes', t => {
	const [of130, of131] = ['1.30', '1.31'].map(version => findRelease(version));
	t.deepEqual(of131!.features, of130!.features);
	t.regex(of131!.source, /the real istio-iptables of August 2026, whose VERSION file says 1\.31/);
});

test('livesIn reads a list of releases in which something alternately appeared and disappeared', t => {
	const life = ['1.18.5', '1.19.0', '1.19.1'];
	t.deepEqual(['1.18.4', '1.18.5', '1.19.0', '1.19.1', '1.30'].map(version => livesIn(findRelease(version), life)), [false, true, false, true, true]);
	t.true(livesIn(findRelease('1.5'), undefined));
});

test('no flag is named twice, and no variable in one release', t => {
	const names = flags.flatMap(({long, short}) => [...(long === undefined ? [] : [long]), ...(short === undefined ? [] : [short])]);
	t.is(new Set(names).size, names.length);
	for (const {name} of releaseLines) {
		const variables = flags.flatMap(flag => flag.variables).filter(({life}) => livesIn(findRelease(name), life)).map(variable => variable.name);
		t.is(new Set(variables).size, variables.length);
	}
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
