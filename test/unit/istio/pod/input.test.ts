import test from 'ava';
import {parseSidecarArguments} from '../../../../src/istio/options/arguments.js';
import {InputError} from '../../../../src/parsing/input-error.js';
import {sidecarRuleSet} from '../../../../src/istio/iptables/sidecar.js';
import type {PodContext} from '../../../../src/istio/pod/input.js';
import {findRelease, newestRelease} from '../../../../src/istio/releases.js';
import {findRule} from '../../../../src/netfilter/lookup.js';
import {newest, newestPatch, unknown} from '../../../helpers/releases.js';
import {
	annotated, inputOf, inputOfFixture, sidecarOf, valueOf,
} from './_pods.js';

const traffic = 'traffic.sidecar.istio.io';
const defaults = ['-p', '15001', '-z', '15006', '-u', '1337', '-m', 'REDIRECT', '-i', '*', '-x', '', '-b', '*', '-d', '15090,15021,15020'];
const pluginDefaults = ['-p', '15001', '-z', '15006', '-u', '1337', '-g', '1337', '-m', 'REDIRECT', '-d', '15020,15021,15090', '-i', '*', '-x', '', '-b', '*', '-o', '15020'];
const inject = {labels: {'sidecar.istio.io/inject': 'true'}};

test('istio-init says everything itself, except for its log flags', t => {
	const input = inputOfFixture('injected-1.24.yaml', {release: '1.20'});
	t.deepEqual(input, {
		kind: 'sidecar',
		workload: 'Pod shop/cart-6d9f7c5b44-x2x9k',
		how: 'istio-init',
		release: '1.24.3',
		argv: defaults.with(11, '10.96.0.1/32'),
		environment: {INVALID_DROP: 'true', ISTIO_DUAL_STACK: 'true', ISTIO_META_DNS_CAPTURE: 'true'},
		families: ['ipv4', 'ipv6'],
		scrapes: [],
		warnings: ['the image is of release 1.24.3, so that one is used and not 1.20'],
		notes: [],
	});
	t.true(parseSidecarArguments({...sidecarOf(input), release: findRelease(sidecarOf(input).release)}).redirectDns);
});

function initPod(container: object): string {
	return annotated({}, {spec: {initContainers: [{name: 'setup'}, {name: 'istio-init', ...container}]}});
}

test('istio-init by its image, with the program as the command, variables in words and logging in two words', t => {
	const input = inputOf(initPod({
		name: 'renamed', image: 'registry.example:5000/istio/proxyv2@sha256:00', command: ['/usr/local/bin/istio-iptables'], args: ['--log_output_level', 'all:debug', '--log_as_json', '-u', '$(UID)', '-c', '$$(UID)$(NONE)'], env: [{name: 'UID', value: '7'}],
	}), {release: '1.29.1'});
	t.deepEqual(sidecarOf(input).argv, ['-u', '7', '-c', '$(UID)$(NONE)']);
	t.is(sidecarOf(input).release, '1.29.1');
});

test('variables with values from elsewhere are named, if istio-iptables reads them', t => {
	const input = sidecarOf(inputOf(initPod({
		image: 'proxyv2:1.28', args: ['istio-iptables'], envFrom: [{configMapRef: {name: 'x'}}], env: [{name: 'INVALID_DROP', valueFrom: {}}, {name: 'POD_NAME', valueFrom: {}}],
	})));
	t.deepEqual(input.environment, {});
	t.is(input.warnings.length, 2);
	t.regex(input.warnings[0] ?? '', /^line \d+, column \d+, spec\.initContainers\[1]\.envFrom: variables from there are not in the manifest/);
	t.regex(input.warnings[1] ?? '', /env\[0]: the value of INVALID_DROP comes from elsewhere/);
});

test('an old init container has its flags only', t => {
	t.deepEqual(sidecarOf(inputOf(initPod({image: 'istio/proxy_init:1.5.10', args: ['-p', '15001']}))).argv, ['-p', '15001']);
});

test('istio-cni reads annotations and the container istio-proxy', t => {
	const input = sidecarOf(inputOfFixture('cni.yaml'));
	t.is(input.how, 'istio-cni');
	t.is(input.release, '1.28.1');
	// The plug-in looks for duplicates before blanks are cut off, so 15021 is excluded twice.
	t.deepEqual(input.argv, [
		'-p', '15001', '-z', '15006', '-u', '2337', '-g', '1337', '-m', 'REDIRECT', '-d', '9090,15021,15020,15021,15090', '-i', '10.0.0.0/8,2001:db8::/32', '-x', '', '-b', '*',
		'-o', '15020', '--redirect-dns', '--capture-all-dns',
	]);
	t.deepEqual(input.families, ['ipv4']);
	t.deepEqual(input.warnings.map(warning => warning.replace(/^line \d+, column \d+, /, '')), [
		'spec.containers[0].env[2]: the value of ISTIO_DUAL_STACK comes from elsewhere (valueFrom) and is not in the manifest; it is treated as not set',
		'owner groups and the loopback range are settings of the CNI plug-in on the node, so its defaults are used, and ISTIO_OUTBOUND_OWNER_GROUPS of the pod has no effect',
		'INVALID_DROP: "maybe" is neither true nor false; Istio logs that and uses false',
	]);
});

test('istio-cni: defaults, dual stack, drop of invalid packets and the metadata of a pod that is not injected yet', t => {
	const dual = inputOf(annotated({'proxy.istio.io/config': 'proxyMetadata: {ISTIO_DUAL_STACK: "true", INVALID_DROP: "1", X: y}'}, {status: {podIPs: [{ip: '10.0.0.1'}, {ip: '2001:db8::1'}]}}), {cni: true, release: '1.30'});
	t.deepEqual(sidecarOf(dual).argv, [...pluginDefaults, '--drop-invalid', '--dual-stack']);
	t.deepEqual(sidecarOf(dual).families, ['ipv4', 'ipv6']);
	t.deepEqual(sidecarOf(inputOf(annotated({[`${traffic}/excludeOutboundPorts`]: ''}), {cni: true})).argv.slice(-2), ['-o', '']);
});

test('--cni asks for istio-cni, also for a pod with istio-init', t => {
	const input = sidecarOf(inputOfFixture('injected-1.24.yaml', {cni: true}));
	t.is(input.how, 'istio-cni');
	t.is(valueOf(input, '-x'), '10.96.0.1/32');
	t.regex(input.warnings.join('\n'), /spec\.initContainers\[0]: the CNI plug-in ignores a pod with istio-init; it is treated as a pod without it/);
});

test('if a pod has a proxy and no init container, istio-cni writes the rules, or nothing is captured', t => {
	const proxied = {spec: {containers: [{name: 'istio-proxy', image: 'proxyv2:1.26.0', args: ['proxy', 'sidecar']}]}};
	t.is(sidecarOf(inputOf(annotated({}, proxied))).how, 'istio-cni');
	t.is(sidecarOf(inputOf(annotated({}, {spec: {initContainers: [{name: 'istio-proxy', image: 'proxyv2:1.26.0'}]}}))).release, '1.26.0');
	const none = inputOf(annotated({'sidecar.istio.io/interceptionMode': 'NONE'}, proxied));
	t.deepEqual([none.kind, none.kind === 'none' && none.reason], ['none', 'sidecar.istio.io/interceptionMode is NONE: nothing is captured']);
});

for (const [title, spec, annotations, reason] of [
	['a router', {args: ['proxy', 'router']}, {}, 'its proxy has type router, which is not a sidecar'],
	['a disabled Envoy', {env: [{name: 'DISABLE_ENVOY', value: 'true'}]}, {}, 'its proxy has DISABLE_ENVOY set'],
	['no injection', {}, {'sidecar.istio.io/inject': 'false'}, 'sidecar.istio.io/inject is false'],
] as const) {
	test(`istio-cni leaves a pod alone: ${title}`, t => {
		const input = inputOf(annotated(annotations, {spec: {containers: [{name: 'istio-proxy', image: 'proxyv2:1.26.0', ...spec}]}}));
		t.deepEqual(input, {
			kind: 'none', workload: 'Pod app', reason: `the CNI plug-in ignores the pod: ${reason}`, warnings: [],
		});
	});
}

test('annotations of a pod before injection', t => {
	const input = sidecarOf(inputOfFixture('annotations.yaml'));
	t.is(input.how, 'annotations');
	t.is(input.release, newestRelease.name);
	t.deepEqual(input.argv, [...defaults.with(15, '15090,15021,9000,9001,15099'), '-o', '3306', '-c', 'eth1']);
	t.is(input.families, undefined);
	t.deepEqual(input.warnings, [
		`line 23, column 9, spec.template.metadata.annotations["${traffic}/includeOutboundPort"]: Istio has no such annotation and ignores it. Did you mean ${traffic}/includeOutboundPorts?`,
		`line 13, column 5, metadata.annotations["${traffic}/includeInboundPorts"]: it is on the workload, not on its pods, and has no effect; move it to the template's metadata`,
		'the manifest shows neither mesh configuration nor chart values, so those of a default installation are used',
	]);
	t.deepEqual(input.notes, [`No image names a release: these are the rules of ${newest}, the newest one known. A tag that is a version, or --release VERSION, chooses another.`]);
});

test('a pod that is only labelled gets the default rules', t => {
	t.deepEqual(sidecarOf(inputOf(annotated({}, inject))).argv, defaults);
	t.deepEqual(sidecarOf(inputOf(annotated({}, {labels: {'istio.io/rev': 'canary'}}), {families: ['ipv6']})).families, ['ipv6']);
});

test('TPROXY, the metadata of the ProxyConfig, and a proxy with its own user', t => {
	const input = sidecarOf(inputOfFixture('tproxy.yaml'));
	t.deepEqual(input.argv, defaults.with(7, 'TPROXY'));
	t.deepEqual(input.environment, {ISTIO_META_DNS_CAPTURE: 'true'});
	const own = {...inject, spec: {containers: [{name: 'istio-proxy', image: 'auto', securityContext: {runAsUser: 2337}}]}};
	t.is(valueOf(inputOf(annotated({}, own)), '-u'), '2337');
	t.is(valueOf(inputOf(annotated({}, own), {release: '1.19.5'}), '-u'), '1337');
	t.is(valueOf(inputOf(annotated({'proxy.istio.io/config': 'interceptionMode: TPROXY'})), '-m'), 'TPROXY');
	t.is(valueOf(inputOf(annotated({'proxy.istio.io/config': ''})), '-m'), 'REDIRECT');
});

test('a new annotation takes precedence over the deprecated one, if the release reads it', t => {
	t.is(valueOf(inputOfFixture('kubevirt.yaml'), '-k'), 'k6t-eth0');
	const older = sidecarOf(inputOfFixture('kubevirt.yaml', {release: '1.24'}));
	t.is(valueOf(older, '-k'), 'k6t-old');
	t.true(older.warnings.includes('istio.io/reroute-virtual-interfaces is read since 1.25.0; release 1.24 ignores it'));
	t.is(valueOf(inputOf(annotated({[`${traffic}/excludeInterfaces`]: 'eth1'}), {release: '1.14.6'}), '-c'), undefined);
	t.is(valueOf(inputOf(annotated({[`${traffic}/excludeInterfaces`]: 'eth1'}), {release: '1.14.6', cni: true}), '--istio-exclude-interfaces'), 'eth1');
	t.is(valueOf(inputOf(annotated({[`${traffic}/includeOutboundPorts`]: '1, 2'}), {release: '1.7'}), '-q'), '1,2');
	t.is(valueOf(inputOf(annotated({}, inject), {release: '1.6.14', cni: true}), '-o'), undefined);
	t.is(valueOf(inputOf(annotated({}, inject), {release: '1.5.10'}), '-d'), '15090,15020');
});

for (const [port, listed, expected] of [
	[undefined, undefined, '15090,15021,15020'],
	[undefined, '', '15090,15021,15020'],
	['0', '80', '15090,15021,80'],
	['', undefined, '15090,15021'],
	['15020', '80,15020', '15090,15021,80,15020'],
	['15099', '80, 15099', '15090,15021,80,15099,15099'],
] as const) {
	test(`excluded inbound ports: status port ${port}, annotation ${listed}`, t => {
		const annotations = {...(port === undefined ? {} : {'status.sidecar.istio.io/port': port}), ...(listed === undefined ? {} : {[`${traffic}/excludeInboundPorts`]: listed})};
		t.is(valueOf(inputOf(annotated(annotations, inject)), '-d'), expected);
	});
}

test('NONE and no injection mean that there are no rules', t => {
	for (const [annotations, reason] of [
		[{'sidecar.istio.io/interceptionMode': 'NONE'}, /^the interception mode is NONE/],
		[{'proxy.istio.io/config': 'interceptionMode: NONE'}, /^the interception mode is NONE/],
		[{'sidecar.istio.io/inject': 'false'}, /^sidecar\.istio\.io\/inject is false: the pod is not injected/],
	] as const) {
		const input = inputOf(annotated(annotations));
		t.is(input.kind, 'none');
		t.regex(input.kind === 'none' ? input.reason : '', reason);
	}

	const left = inputOf(annotated({}, {labels: {'istio.io/dataplane-mode': 'none'}}));
	t.is(left.kind === 'none' && left.reason, 'istio.io/dataplane-mode is none: the pod is excluded from ambient mode');
});

test('a pod in ambient mode', t => {
	const input = inputOfFixture('ambient.yaml');
	t.like(input, {
		kind: 'ambient', workload: 'Pod gateway', release: newest, families: ['ipv4', 'ipv6'], options: {
			redirectDns: false, ingress: true, rerouteVirtualInterfaces: ['vm0', 'vm1'], ipv6: true,
		},
	});
	t.deepEqual(input.warnings, [`line 12, column 5, metadata.annotations["${traffic}/excludeInboundPorts"]: no effect, because the pod is in ambient mode and has no sidecar`]);
	const marked = inputOf(annotated({'ambient.istio.io/redirection': 'enabled', 'ambient.istio.io/dns-capture': 'perhaps'}), {families: ['ipv6']});
	t.like(marked, {kind: 'ambient', families: ['ipv4', 'ipv6'], options: {redirectDns: true, ingress: false}});
	t.regex(marked.warnings.join('\n'), /ambient\.istio\.io\/dns-capture"]: "perhaps" is neither true nor false; Istio logs that and uses true/);
	const plain = inputOf(annotated({}, {labels: {'istio.io/dataplane-mode': 'ambient'}}), {release: '1.30.2'});
	t.like(plain, {
		kind: 'ambient', release: '1.30.2', families: undefined, warnings: ['DNS capture is a setting of the node, so that of a default installation is used'],
	});
	// A pod that is to be injected has a sidecar instead.
	t.is(inputOf(annotated({}, {labels: {'istio.io/dataplane-mode': 'ambient', 'sidecar.istio.io/inject': 'true'}})).kind, 'sidecar');
});

for (const [name, said] of [
	['traffic.sidecar.istio.io/excludeOutboundPort', 'Did you mean traffic.sidecar.istio.io/excludeOutboundPorts?'],
	['traffic.sidecar.istio.io/excludeoutboundports', 'Did you mean traffic.sidecar.istio.io/excludeOutboundPorts?'],
	['sidecar.istio.io/includeInboundPorts', 'Did you mean traffic.sidecar.istio.io/includeInboundPorts?'],
	['sidecar.istio.io/interceptionmode', 'Did you mean sidecar.istio.io/interceptionMode?'],
	['ambient.istio.io/bypass-inbound', 'Did you mean ambient.istio.io/bypass-inbound-capture?'],
	['istio.io/reroute-virtual-interface', 'Did you mean istio.io/reroute-virtual-interfaces?'],
	['sidecar.istio.io/statsInclusionPrefixes', undefined],
	['ambient.istio.io/waypoint-inbound-binding', undefined],
	['example.com/port', undefined],
] as const) {
	test(`an annotation that no release reads: ${name}`, t => {
		const warning = inputOf(annotated({[name]: 'x'}, inject)).warnings.find(text => text.includes(name));
		t.is(warning?.split('ignores it. ')[1], said);
	});
}

for (const [title, text, message] of [
	['the network of the node', annotated({}, {spec: {hostNetwork: true}}), /^line \d+, column \d+, spec\.hostNetwork: a pod in its node's network has no rules of its own/],
	['nothing of Istio', annotated({'example.com/a': 'b'}), /^Pod app has no sign of Istio\. Looked for: an init container istio-init or istio-validation, .* add the label sidecar\.istio\.io\/inject: "true"/],
	['an init container that runs something else', initPod({args: ['sh', '-c', 'true']}), /^line \d+, column \d+, spec\.initContainers\[1]\.args\[0]: the container istio-init runs "sh", not istio-iptables/],
	['an argument that is none', initPod({args: ['istio-iptables', '--strange']}), /^line \d+, column \d+, spec\.initContainers\[1]: --strange: unknown flag: --strange/],
	['a group by name', annotated({'proxy.istio.io/config': 'proxyMetadata: {ISTIO_OUTBOUND_OWNER_GROUPS: nobodys}'}), /annotations\["proxy\.istio\.io\/config"]: ISTIO_OUTBOUND_OWNER_GROUPS: .*"nobodys"/],
	['a mode', annotated({'sidecar.istio.io/interceptionMode': 'tproxy'}), /^line \d+, column \d+, metadata\.annotations\["sidecar\.istio\.io\/interceptionMode"]: "tproxy" is none of REDIRECT, TPROXY, NONE/],
	['a mode in a ProxyConfig', annotated({'proxy.istio.io/config': 'interceptionMode: no'}), /annotations\["proxy\.istio\.io\/config"]: in its text, line 1, column 1, interceptionMode: "no" is none of REDIRECT/],
	['a ProxyConfig that is no mapping', annotated({'proxy.istio.io/config': '[]'}), /annotations\["proxy\.istio\.io\/config"]: in its text, line 1, column 1: expected a mapping/],
	['a boolean in the metadata', annotated({'proxy.istio.io/config': 'proxyMetadata:\n  A: true'}), /in its text, line 2, column 3, proxyMetadata\.A: expected a string, but this is the boolean true/],
	['a port that is a range', annotated({[`${traffic}/excludeInboundPorts`]: '80:90'}), /excludeInboundPorts"]: "80:90" is not a port; the webhook accepts numbers from 0 to 65535/],
	['a port that is too great', annotated({[`${traffic}/excludeOutboundPorts`]: '65536'}), /excludeOutboundPorts"]: bad port "65536"/],
	['a port that iptables would take for another', annotated({[`${traffic}/excludeOutboundPorts`]: '010'}), /excludeOutboundPorts"]: bad port "010"/],
	['an empty port', annotated({[`${traffic}/includeInboundPorts`]: '80,'}), /includeInboundPorts"]: "" is not a port/],
	['a * where none is allowed', annotated({[`${traffic}/excludeInboundPorts`]: '*'}), /excludeInboundPorts"]: "\*" is not a port/],
	['an excluded *', annotated({[`${traffic}/excludeOutboundIPRanges`]: '*'}), /excludeOutboundIPRanges"]: "\*" is not a CIDR/],
	['an address without a mask', annotated({[`${traffic}/includeOutboundIPRanges`]: '10.0.0.1'}), /includeOutboundIPRanges"]: "10\.0\.0\.1" is not a CIDR/],
	['an empty range', annotated({[`${traffic}/includeOutboundIPRanges`]: '10.0.0.0/8,'}), /includeOutboundIPRanges"]: an empty item in the list/],
	['an interface', annotated({[`${traffic}/excludeInterfaces`]: 'eth 1'}), /excludeInterfaces"]: bad interface name "eth 1"/],
	['a status port', annotated({'status.sidecar.istio.io/port': 'http'}), /status\.sidecar\.istio\.io\/port"]: "http" is not a port/],
	['a virtual interface in ambient mode', annotated({'ambient.istio.io/redirection': 'enabled', 'istio.io/reroute-virtual-interfaces': 'a/b'}), /reroute-virtual-interfaces"]: bad interface name "a\/b"/],
] as const) {
	test(`refused: ${title}`, t => {
		t.throws(() => inputOf(text), {instanceOf: InputError, message});
	});
}

test('refused: NONE by the CNI plug-in', t => {
	t.throws(() => inputOf(annotated({'sidecar.istio.io/interceptionMode': 'NONE'}), {cni: true}), {
		instanceOf: InputError, message: /interceptionMode"]: the CNI plug-in accepts only REDIRECT and TPROXY/,
	});
});

test('refused: ambient mode of a release whose ambient rules are not known', t => {
	t.throws(() => inputOfFixture('ambient.yaml', {release: '1.29'}), {instanceOf: InputError, message: /^--release: release 1\.29 is older than 1\.30, the oldest one whose ambient rules are known/});
});

const asking = `names no release: these are the rules of ${newest}, the newest one known. A tag that is a version, or --release VERSION, chooses another.`;
const newer = `is newer than the known releases: these are the rules of ${newest}.`;

for (const {image, context, release, notes, warnings} of [
	{image: `istio/proxyv2:${newestPatch}`, release: newestPatch, notes: []},
	{image: 'istio/proxyv2:1.34.1', release: newest, notes: [`1.34.1 ${newer}`]},
	{image: 'istio/proxyv2:v2.0.0-distroless', release: newest, notes: [`2.0.0 ${newer}`]},
	{image: 'istio/proxyv2:1.34.1', context: {release: '1.29'}, release: newest, notes: [`1.34.1 ${newer}`], warnings: ['the image is of release 1.34.1, so that one is used and not 1.29']},
	{image: 'istio/proxyv2:1.29.3', context: {release: 'v1.29.3-distroless'}, release: '1.29.3', notes: []},
	{image: 'istio/proxyv2@sha256:1.24', release: newest, notes: [`The image istio/proxyv2@sha256:1.24 ${asking}`]},
	{image: 'registry.example:5000/proxyv2:prod-7', release: newest, notes: [`The image registry.example:5000/proxyv2:prod-7 ${asking}`]},
	{image: 'istio/proxyv2:latest', release: newest, notes: [`The image istio/proxyv2:latest ${asking}`]},
	{image: 'istio/proxyv2:latest', context: {release: '1.29'}, release: '1.29', notes: []},
	{image: 'istio/proxyv2:latest', context: {release: 'latest'}, release: newest, notes: []},
	{image: 'istio/proxyv2:latest', context: {release: unknown}, release: newest, notes: [`${unknown} ${newer}`]},
] as ReadonlyArray<{image: string; context?: PodContext; release: string; notes: readonly string[]; warnings?: readonly string[]}>) {
	test(`the rules of which release: ${image} ${JSON.stringify(context ?? {})}`, t => {
		const input = sidecarOf(inputOf(initPod({image, args: ['istio-iptables']}), context));
		t.deepEqual([input.release, input.notes, input.warnings], [release, notes, warnings ?? []]);
		// As the plug-in too, which asks by number what the release can do.
		const byPlugin = sidecarOf(inputOf(annotated({}, {spec: {containers: [{name: 'istio-proxy', image}]}}), {...context, cni: true}));
		t.deepEqual([byPlugin.release, byPlugin.notes], [release, notes]);
		t.deepEqual(byPlugin.argv, pluginDefaults);
	});
}

for (const [context, release, notes] of [
	[{}, newest, [`An ambient pod names no release: these are the rules of ${newest}, the newest one known. A tag that is a version, or --release VERSION, chooses another.`]],
	[{release: '1.30.2'}, '1.30.2', []],
	[{release: unknown}, newest, [`${unknown} ${newer}`]],
] as const) {
	test(`the ambient rules of which release: ${JSON.stringify(context)}`, t => {
		t.like(inputOfFixture('ambient.yaml', context), {kind: 'ambient', release, notes});
	});
}

for (const [title, image, context, message] of [
	['an image that is too old', 'istio/proxyv2:1.4.3', {}, /^line \d+, column \d+, spec\.initContainers\[1]\.image: release 1\.4\.3 is older than 1\.5, the oldest one known; the nearest is 1\.5$/],
	['a release that is too old', 'istio/proxyv2:latest', {release: '1.4'}, /^--release: release 1\.4 is older than 1\.5/],
	['an empty release', 'istio/proxyv2:latest', {release: ''}, /^--release: no version was given; write one as 1\.31/],
] as const) {
	test(`refused: ${title}`, t => {
		t.throws(() => inputOf(initPod({image, args: ['istio-iptables']}), context), {instanceOf: InputError, message});
	});
}

test('from a manifest to its rules', t => {
	const {argv, environment, release, warnings} = sidecarOf(inputOfFixture('annotations.yaml'));
	t.true(warnings.length > 0);
	const set = sidecarRuleSet(findRelease(release), parseSidecarArguments({argv, environment}), ['ipv4']);
	t.is(findRule(set, {
		family: 'ip', table: 'nat', chain: 'ISTIO_OUTPUT', number: 1,
	})?.text, '-p tcp -m tcp --dport 3306 -j RETURN');
	t.is(findRule(set, {
		family: 'ip', table: 'nat', chain: 'PREROUTING', number: 1,
	})?.text, '-i eth1 -j RETURN');
});
