/**
The types of `sidecar-netfilter-testbed`, the pure part. Nothing here runs: the compiler is the test, and each `@ts-expect-error` is a line that must not compile.
*/

import {expectTypeOf} from 'expect-type';
import {
	classify, diffRuleSets, findRelease, generate, importRules, judge, newestRelease, parseBaseline, parseNft, parseReleaseInput, parseSave, printBaseline, printNft, printSave, printTap, roleOf,
	summarize, type Baseline, type Judgment, type ObservedPath, type Outcome, type Path, type Release, type ReleaseInput, type Results, type Role, type Rule, type RuleSet, type RuleSetDiff,
} from '../../src/index.js';

// Options become a rule set, and a rule set becomes text.
expectTypeOf(parseReleaseInput).returns.toEqualTypeOf<ReleaseInput>();
expectTypeOf(findRelease).returns.toEqualTypeOf<Release>();
expectTypeOf(newestRelease).toExtend<{readonly name: string}>();
expectTypeOf(generate).returns.toEqualTypeOf<RuleSet>();
expectTypeOf(printSave).parameters.toEqualTypeOf<[ruleSet: RuleSet, family: 'ipv4' | 'ipv6']>();
expectTypeOf(printNft).returns.toBeString();
expectTypeOf(parseSave).parameter(0).toBeString();
expectTypeOf(parseNft).parameter(0).toBeString();
expectTypeOf(importRules).parameter(0).toBeString();
const {release, options} = parseReleaseInput('release:1.30');
generate({release, options, families: ['ipv4'], backend: 'iptables-nft'});
// @ts-expect-error -- Whose rules?
generate({release, options, backend: 'iptables-nft'});
// @ts-expect-error -- There is no such family.
printSave(generate({release, options, families: ['ipv4'], backend: 'iptables-nft'}), 'v4');

// Values are read-only.
const [table] = generate({release, options, families: ['ipv4'], backend: 'iptables-nft'}).tables;
// @ts-expect-error -- A rule set is not edited in place.
table!.name = 'filter';
expectTypeOf<Rule>().toHaveProperty('text').toBeString();

// A path that somebody wrote is not one that was observed: only the joiner makes those.
expectTypeOf<ObservedPath>().toExtend<Path>();
expectTypeOf<Path>().not.toExtend<ObservedPath>();

// Outcomes are three, and no more.
expectTypeOf<Outcome['kind']>().toEqualTypeOf<'pass' | 'fail' | 'inconclusive'>();
expectTypeOf(judge).returns.toEqualTypeOf<Judgment>();
expectTypeOf(summarize).returns.toEqualTypeOf<{readonly passed: number; readonly failed: number; readonly inconclusive: number}>();
expectTypeOf(printTap).parameters.toEqualTypeOf<[results: Results]>();

// Other questions about rules.
expectTypeOf(diffRuleSets).returns.toEqualTypeOf<RuleSetDiff>();
expectTypeOf(roleOf).returns.toEqualTypeOf<Role | undefined>();
expectTypeOf(classify).returns.toHaveProperty('classes');
expectTypeOf(parseBaseline).returns.toEqualTypeOf<Baseline>();
expectTypeOf(printBaseline).parameter(0).toEqualTypeOf<Baseline>();
