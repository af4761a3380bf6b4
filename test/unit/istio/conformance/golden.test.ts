import test from 'ava';
import {
	ambientOptionsFromConfig, compareGolden, parseGolden, withGroupNumbers, type GoldenEntry,
} from '../../../../src/istio/conformance/golden.js';
import {ParseError} from '../../../../src/netfilter/parse-error.js';
import {readFixture} from '../../../helpers/fixtures.js';
import {readAmbientGoldens} from '../../../helpers/istio-ambient.js';
import {readGoldenIndex} from '../../../helpers/istio-real.js';

function textOf({file, mode, backend}: GoldenEntry): string {
	return withGroupNumbers(mode === 'sidecar' ? readFixture('istio-goldens', file) : readAmbientGoldens(backend).find(golden => golden.file === file)?.golden ?? '');
}

test('all goldens of all suites are equal', t => {
	const entries = readGoldenIndex();
	t.is(entries.length, 73);
	t.is(new Set(entries.map(({backend, mode}) => `${backend} ${mode}`)).size, 4);
	t.deepEqual(entries.filter(entry => compareGolden(entry, textOf(entry)).kind !== 'equal').map(({file}) => file), []);
});

for (const file of ['iptables/tproxy.golden', 'nftables/tproxy.golden', 'cni-iptables/default_ipv6.golden', 'cni-nftables/default_ipv6.golden']) {
	test(`a golden differs when a rule of it is gone: ${file}`, t => {
		const entry = readGoldenIndex().find(candidate => candidate.file === file)!;
		const lines = textOf(entry).split('\n');
		const rules = lines.flatMap((line, index) => /^(?:-A|add rule) /u.test(line) ? [index] : []);
		t.true(rules.length > 5);
		for (const at of rules) {
			const comparison = compareGolden(entry, lines.filter((_, index) => index !== at).join('\n'));
			t.is(comparison.kind, 'different', lines[at]);
		}
	});
}

test('the families of a golden follow from the names of its tables', t => {
	const text = 'iptables-save\nip6tables-save\n* mangle\nCOMMIT\n* nat\n-A OUTPUT -j RETURN\nCOMMIT\n* nat\n-A OUTPUT -j ACCEPT\nCOMMIT\niptables-save\n';
	t.deepEqual(parseGolden(text, 'iptables').tables.map(({family, name}) => `${family} ${name}`), ['ip mangle', 'ip nat', 'ip6 nat']);
	t.throws(() => parseGolden('* nat\n-A NOWHERE -j RETURN\nCOMMIT\n', 'iptables'), {instanceOf: ParseError, message: /no chain NOWHERE/u});
});

test('the DNS setting of a pod takes precedence over that of its node', t => {
	const options = {
		enableIPv6: true, redirectDNS: true, hostProbeSNATAddress: '1.2.3.4', hostProbeV6SNATAddress: '::1',
	};
	t.true(ambientOptionsFromConfig({options}).redirectDns);
	t.false(ambientOptionsFromConfig({options, podOverrides: {virtualInterfaces: ['a'], ingressMode: true, dnsProxy: 'disabled'}}).redirectDns);
	t.is(ambientOptionsFromConfig({options, environment: {kubeletUID: '1000'}}).kubeletUid, 1000);
});
