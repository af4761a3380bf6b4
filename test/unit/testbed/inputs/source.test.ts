import test from 'ava';
import {parseSource, type SourceKind} from '../../../../testbed/inputs/source.js';

for (const [source, kind, file, isGenerated] of [
	['release:1.30', 'release', undefined, true],
	['PROXY_UID=5 release:1.30 -u 5', 'release', undefined, true],
	['A=1 B=2 release:1.30', 'release', undefined, true],
	['ambient:1.24', 'ambient', undefined, true],
	['ambient-host:1.24', 'ambient-host', undefined, true],
	['pod:a.yaml', 'pod', 'a.yaml', false],
	['file:release:1.30', 'file', 'release:1.30', false],
	['file:-', 'file', '-', false],
	['-', 'stdin', undefined, false],
	['pod.rules', 'file', 'pod.rules', false],
	['./release:1.30', 'file', './release:1.30', false],
	['A=1 pod.rules', 'file', 'A=1 pod.rules', false],
] as ReadonlyArray<readonly [string, SourceKind, string | undefined, boolean]>) {
	test(`${source} is ${kind}`, t => {
		t.deepEqual(parseSource(source), {kind, file, isGenerated});
	});
}
