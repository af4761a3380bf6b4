import test from 'ava';
import {parseSource, type SourceKind} from '../../../../testbed/inputs/source.js';

for (const [source, kind, file] of [
	['release:1.30', 'release', undefined],
	['PROXY_UID=5 release:1.30 -u 5', 'release', undefined],
	['A=1 B=2 release:1.30', 'release', undefined],
	['ambient:1.24', 'ambient', undefined],
	['ambient-host:1.24', 'ambient-host', undefined],
	['pod:a.yaml', 'pod', 'a.yaml'],
	['file:release:1.30', 'file', 'release:1.30'],
	['file:-', 'file', '-'],
	['-', 'stdin', '-'],
	['pod.rules', 'file', 'pod.rules'],
	['A=1 pod:a.yaml', 'file', 'A=1 pod:a.yaml'],
	['./release:1.30', 'file', './release:1.30'],
	['netns:web', 'netns', undefined],
	['netns:/proc/7/ns/net', 'netns', undefined],
	['pid:4711', 'pid', undefined],
	['container:3f4e', 'container', undefined],
	['A=1 pod.rules', 'file', 'A=1 pod.rules'],
] as ReadonlyArray<readonly [string, SourceKind, string | undefined]>) {
	test(`${source} is ${kind}`, t => {
		t.deepEqual(parseSource(source), {kind, file});
	});
}
