import test from 'ava';
import fc from 'fast-check';
import {InputError} from '../../../../src/parsing/input-error.js';
import {podInput} from '../../../../src/istio/pod/input.js';
import {parsePod} from '../../../../src/istio/pod/pod.js';
import {readFixture} from '../../../helpers/fixtures.js';

test('a pod, with everything that its rules depend on', t => {
	const pod = parsePod(readFixture('pods', 'injected-1.24.yaml'));
	t.is(pod.workload, 'Pod shop/cart-6d9f7c5b44-x2x9k');
	t.deepEqual(pod.addresses, ['10.244.1.10', '2001:db8:1::10']);
	t.is(pod.hostNetworkAt, undefined);
	t.deepEqual(pod.annotations.get('prometheus.io/port'), {value: '15020', at: 'line 13, column 5, metadata.annotations["prometheus.io/port"]'});
	t.deepEqual([...pod.initContainers, ...pod.containers].map(({name, image, runAsUser, runAsGroup}) => ({
		name, image, runAsUser, runAsGroup,
	})), [
		{
			name: 'istio-init', image: 'docker.io/istio/proxyv2:1.24.3-distroless', runAsUser: 0, runAsGroup: 0,
		},
		{
			name: 'cart', image: 'registry.example:5000/shop/cart:7', runAsUser: undefined, runAsGroup: undefined,
		},
		{
			name: 'istio-proxy', image: 'docker.io/istio/proxyv2:1.24.3-distroless', runAsUser: 1337, runAsGroup: 1337,
		},
	]);
	t.is(pod.initContainers[0]?.words[0]?.value, 'istio-iptables');
	t.deepEqual(pod.containers[1]?.environment.get('POD_NAMESPACE'), {value: undefined, at: 'line 65, column 7, spec.containers[1].env[0]'});
});

test('the template of a workload is its pod, beside other objects, in a List and in JSON', t => {
	const deployment = parsePod(readFixture('pods', 'annotations.yaml'));
	t.is(deployment.workload, 'Deployment shop/payment');
	t.is(deployment.labels.get('app')?.value, 'payment');
	t.is(deployment.outerAnnotations.size, 1);
	const job = parsePod(readFixture('pods', 'list.json'));
	t.is(job.workload, 'CronJob shop/report');
	t.deepEqual(job.containers[0]?.words.map(({value}) => value), ['sh', '-c', 'report']);
});

for (const kind of ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'Job']) {
	test(`a ${kind} has its pod in spec.template`, t => {
		t.is(parsePod(`kind: ${kind}\nmetadata: {generateName: a-}\nspec: {template: {spec: {containers: [{name: x}]}}}`).workload, `${kind} a-…`);
	});
}

test('a PodTemplate has its pod in template', t => {
	t.is(parsePod('kind: PodTemplate\ntemplate: {spec: {containers: [{name: x}]}}').workload, 'PodTemplate (no name)');
});

test('null is ignored, an alias stands for its anchor, a variable may be empty, and podIP is used if podIPs is missing', t => {
	const pod = parsePod('kind: Pod\nmetadata: {labels: null, annotations: {a: &a x, b: *a, c: ~}}\nspec: {containers: [{name: x, env: [{name: E}, ~]}]}\nstatus: {podIP: 10.0.0.1}');
	t.deepEqual([...pod.annotations].map(([name, {value}]) => [name, value]), [['a', 'x'], ['b', 'x']]);
	t.is(pod.containers[0]?.environment.get('E')?.value, '');
	t.deepEqual(pod.addresses, ['10.0.0.1']);
	t.is(pod.labels.size, 0);
});

const head = 'kind: Pod\nmetadata: {name: a}\n';

for (const [title, text, message] of [
	['no YAML', 'kind: Pod\nspec: [', /^line 2, column \d+: /],
	['a key that is there twice', `${head}spec: {}\nspec: {}`, /^line 4, column 1: Map keys must be unique/],
	['an unknown tag', 'kind: !strange Pod', /^line 1, column 7: Unresolved tag$/],
	['an alias without its anchor', `${head}spec: *s`, /^line 3, column 1: an alias without its anchor|^line 3, column 7: Unresolved alias/],
	['a merge key', 'kind: Pod\n<<: {a: 1}', /^line 2, column 1: merge keys \(<<\) are not supported/],
	['a key that is not a string', 'kind: Pod\n1: 2', /^line 2, column 1: a key that is not a string/],
	['nothing', '---\n---\n', /^no workload in it: it is empty; expected one of Pod, Deployment, /],
	['a text', 'hello', /^line 1, column 1: this is not a Kubernetes object/],
	['an object without a kind', 'metadata: {name: a}', /^line 1, column 1: the object has no kind/],
	['no workload', 'kind: Service\nmetadata: {name: a, namespace: n}\n---\nkind: Gateway', /^no workload in it: found Service n\/a, Gateway \(no name\); expected one of Pod, /],
	['two workloads', `${head}spec: {}\n---\nkind: Job\nmetadata: {name: b}\n`, /^2 workloads in it, but only one is allowed: Pod a \(line 1\), Job b \(line 5\)/],
	['a pod without a spec', head, /^line 1, column 1: Pod without spec/],
	['a Deployment without a template', 'kind: Deployment\nspec: {}', /^line 1, column 1: Deployment without spec\.template\.spec/],
	['a number for an annotation', 'kind: Pod\nmetadata:\n  annotations:\n    a/b: 8080\nspec: {}', /^line 4, column 5, metadata\.annotations\["a\/b"]: expected a string, but this is the number 8080; Kubernetes rejects it too: put it in quotes/],
	['a boolean for a label', 'kind: Pod\nmetadata: {labels: {a: true}}\nspec: {}', /^line 2, column 21, metadata\.labels\.a: expected a string, but this is the boolean true/],
	['a list for a text', `${head}spec: {containers: [{name: [x]}]}`, /^line 3, column 22, spec\.containers\[0]\.name: expected a string, but this is a list$/],
	['a list for a mapping', `${head}spec: []`, /^line 3, column 1, spec: expected a mapping, but this is a list/],
	['a mapping for a list', `${head}spec: {containers: {}}`, /^line 3, column 8, spec\.containers: expected a list, but this is a mapping/],
	['a text for a list', `${head}spec: {containers: x}`, /^line 3, column 8, spec\.containers: expected a list, but this is a string/],
	['a text for a number', `${head}spec: {containers: [{name: x, securityContext: {runAsUser: root}}]}`, /spec\.containers\[0]\.securityContext\.runAsUser: expected a whole number, but this is a string/],
	['a fraction', `${head}spec: {containers: [{name: x, securityContext: {runAsUser: 1.5}}]}`, /runAsUser: expected a whole number, but this is the number 1\.5/],
	['a text for true', `${head}spec: {hostNetwork: "true"}`, /^line 3, column 8, spec\.hostNetwork: expected true or false, but this is a string/],
	['a container without a name', `${head}spec:\n  containers:\n  - image: x`, /^line 5, column 5, spec\.containers\[0]: a container without a name/],
	['a variable without a name', `${head}spec: {containers: [{name: x, env: [{value: y}]}]}`, /^line 3, column \d+, spec\.containers\[0]\.env\[0]: a variable without a name/],
	['no address', `${head}spec: {}\nstatus: {podIPs: [{ip: x}]}`, /^line 4, column 20, status\.podIPs\[0]\.ip: "x" is not an address/],
] as const) {
	test(`refused: ${title}`, t => {
		t.throws(() => parsePod(text), {instanceOf: InputError, message});
	});
}

test('a damaged manifest is a pod or an InputError, nothing else', t => {
	const texts = ['annotations.yaml', 'cni.yaml', 'list.json'].map(file => readFixture('pods', file));
	fc.assert(fc.property(fc.constantFrom(...texts), fc.nat(2000), fc.nat(20), fc.constantFrom('', '*a', '&b ', '!x ', '- ', ': ', '"', '{', '\t', '~', '1', '<<: 1'), (text, at, length, inserted) => {
		try {
			podInput(parsePod(text.slice(0, at % text.length) + inserted + text.slice((at % text.length) + length)));
		} catch (error) {
			t.true(error instanceof InputError, String(error));
		}
	}), {numRuns: 500});
	t.pass();
});
