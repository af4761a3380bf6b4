/**
The runs of the real istio-iptables with native nft tables, and the goldens of both back ends, with their options as ours.
*/

import {sidecarOptionsFromConfig, type ConfigFields, type ConfiguredSidecar} from '../../src/istio/options/config-options.js';
import {parseGolden, withGroupNumbers} from '../../src/istio/conformance/golden.js';
import {backendOf, generateRun} from '../../src/istio/conformance/real-run.js';
import type {RuleSet} from '../../src/netfilter/types.js';
import {readFixture} from './fixtures.js';
import {
	readGoldenIndex, readRealRuns, type RealRun,
} from './istio-real.js';

/** One run: see test/fixtures/istio-real/README.md. */
export type NativeRun = RealRun;

/** One golden: its file and the options of its test. */
export type Golden = {readonly file: string; readonly options: ConfigFields};

/** All runs. */
export function readNativeRuns(): readonly NativeRun[] {
	return readRealRuns().filter(run => backendOf(run) === 'nftables');
}

/** The options of a run and the families it wrote, whether or not nft then took the rules. */
export function nativeInputOf(run: NativeRun): ConfiguredSidecar {
	const {input, families} = generateRun({...run, argv: run.argv.filter(word => word !== '--native-nftables')});
	return {options: input.options, families};
}

/** All goldens of one back end. */
export function readGoldens(backend: 'iptables' | 'nftables'): readonly Golden[] {
	return readGoldenIndex().flatMap(entry => entry.backend === backend && entry.mode === 'sidecar' ? [{file: entry.file, options: entry.options}] : []);
}

/** The text of a golden, with numbers for groups. */
export function goldenText(file: string): string {
	return withGroupNumbers(readFixture('istio-goldens', file));
}

/** The rule set of an iptables golden. */
export function goldenSave(file: string): RuleSet {
	return parseGolden(goldenText(file), 'iptables');
}

/** The options of a golden by our names, and the families it wrote. */
export function goldenInput({options}: Golden): ConfiguredSidecar {
	return sidecarOptionsFromConfig(options);
}
