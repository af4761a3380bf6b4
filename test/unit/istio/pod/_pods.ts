/**
Manifests for the tests of this folder.
*/

import {podInput, type PodContext, type PodInput} from '../../../../src/istio/pod/input.js';
import {parsePod} from '../../../../src/istio/pod/pod.js';
import {readFixture} from '../../../helpers/fixtures.js';

/** The result for a fixture. */
export function inputOfFixture(file: string, context?: PodContext): PodInput {
	return podInput(parsePod(readFixture('pods', file)), context);
}

/** The result for a manifest's text. */
export function inputOf(text: string, context?: PodContext): PodInput {
	return podInput(parsePod(text), context);
}

/** A sidecar's input; anything else fails the test. */
export function sidecarOf(input: PodInput): Extract<PodInput, {kind: 'sidecar'}> {
	if (input.kind !== 'sidecar') {
		throw new Error(`not a sidecar but ${input.kind}`);
	}

	return input;
}

/** The value behind a flag. */
export function valueOf(input: PodInput, flag: string): string | undefined {
	const {argv} = sidecarOf(input);
	const at = argv.indexOf(flag);
	return at === -1 ? undefined : argv[at + 1];
}

/** A pod before injection with the given annotations, as JSON, which is YAML too. */
export function annotated(annotations: Readonly<Record<string, unknown>>, more: {readonly labels?: object; readonly spec?: object; readonly status?: object} = {}): string {
	return JSON.stringify({
		apiVersion: 'v1', kind: 'Pod', metadata: {name: 'app', annotations, labels: more.labels ?? {}}, spec: {containers: [{name: 'app'}], ...more.spec}, status: more.status ?? {},
	}, null, '\t');
}
