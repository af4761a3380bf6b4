/**
The types of `sidecar-netfilter-testbed/kernel`, as a user meets them. Nothing here runs: the compiler is the test, and each `@ts-expect-error` is a line that must not compile.
*/

import {expectTypeOf} from 'expect-type';
import {
	checkBaseline, classesOf, compare, createBaseline, loadRules, openSandbox, parseRules, runTypes,
	type AddressFamily, type Backend, type Baseline, type ClassSet, type ComparisonReport, type ErrorCode, type Gap, type LoadedRules, type ProbeAnswer, type ProbeAsked, type Report,
	type RulesSandbox, type RuleSet, type TestbedError, type TypeId, type VerificationReport,
} from '../../testbed/index.js';

// Rules come from an input or from text, and are read at once.
expectTypeOf(loadRules).returns.toEqualTypeOf<LoadedRules>();
expectTypeOf(parseRules).parameter(0).toBeString();
expectTypeOf(parseRules).returns.toEqualTypeOf<LoadedRules>();
expectTypeOf<LoadedRules['families']>().toEqualTypeOf<readonly AddressFamily[]>();
expectTypeOf<AddressFamily>().toEqualTypeOf<'ipv4' | 'ipv6'>();
expectTypeOf<'iptables-nft' | 'iptables-legacy' | 'nftables'>().toExtend<Backend>();
loadRules('release:1.30', {families: ['ipv4', 'ipv6'], backend: 'nftables', dnsServers: ['10.96.0.10'], source6: 'pod6.rules'});
// @ts-expect-error -- families is a list.
loadRules('release:1.30', {families: 'ipv4'});
// @ts-expect-error -- There is no such back end.
loadRules('release:1.30', {backend: 'nft'});
// @ts-expect-error -- A key with a typo.
loadRules('release:1.30', {familes: ['ipv4']});
// @ts-expect-error -- Text, not bytes.
parseRules(new Uint8Array());

// What takes rules takes an input as it is.
expectTypeOf(openSandbox).returns.resolves.toEqualTypeOf<RulesSandbox>();
expectTypeOf(openSandbox).toBeCallableWith('release:1.30', {follow: false, timeoutMs: 1000, proxy: {uid: 1337, gid: 1337}});
expectTypeOf(openSandbox).toBeCallableWith(loadRules('release:1.30'));
// @ts-expect-error -- A key with a typo.
await openSandbox('release:1.30', {folow: true});
// @ts-expect-error -- null is no rule set.
await openSandbox(null);

// A sandbox is asked, and closed by `await using` or by hand.
expectTypeOf<RulesSandbox>().toExtend<AsyncDisposable>();
expectTypeOf<RulesSandbox['probe']>().parameters.toEqualTypeOf<[asked: ProbeAsked]>();
expectTypeOf<RulesSandbox['probe']>().returns.resolves.toEqualTypeOf<ProbeAnswer>();
expectTypeOf<RulesSandbox['probeAll']>().returns.resolves.toEqualTypeOf<readonly ProbeAnswer[]>();
expectTypeOf<RulesSandbox['close']>().returns.resolves.toBeVoid();
expectTypeOf<RulesSandbox['ruleSet']>().toEqualTypeOf<RuleSet>();
expectTypeOf<{to: string}>().toExtend<ProbeAsked>();
expectTypeOf<{from: 'app'}>().not.toExtend<ProbeAsked>();
expectTypeOf<{to: string; proto: 'icmp'}>().not.toExtend<ProbeAsked>();
expectTypeOf<ProbeAnswer['stops']>().toEqualTypeOf<readonly string[]>();
expectTypeOf<ProbeAnswer['path']>().toEqualTypeOf<readonly string[]>();
expectTypeOf<ProbeAnswer['gaps']>().toEqualTypeOf<readonly Gap[]>();
expectTypeOf<'delivered' | 'closed' | 'refused' | 'dropped' | 'unreachable' | 'nowhere' | 'lost' | 'answer-dropped' | 'unknown' | 'loop' | 'inconclusive'>().toEqualTypeOf<ProbeAnswer['outcome']>();

// The answers are the reports that the commands print.
expectTypeOf(runTypes).returns.resolves.toEqualTypeOf<Report>();
expectTypeOf(runTypes).toBeCallableWith('release:1.30', {types: ['1', '4b']});
expectTypeOf<TypeId>().toEqualTypeOf<string>();
expectTypeOf(compare).returns.resolves.toEqualTypeOf<ComparisonReport>();
// @ts-expect-error -- A comparison has two sides.
await compare('release:1.30');
expectTypeOf(createBaseline).returns.resolves.toEqualTypeOf<Baseline>();
expectTypeOf(checkBaseline).parameter(0).toEqualTypeOf<string | Baseline>();
expectTypeOf(checkBaseline).returns.resolves.toEqualTypeOf<VerificationReport>();
expectTypeOf(classesOf).returns.toEqualTypeOf<ClassSet>();
expectTypeOf(classesOf).toBeCallableWith(['release:1.30', parseRules('')], {family: 'ipv6'});

// Errors have a code to decide by.
expectTypeOf<TestbedError>().toExtend<Error>();
expectTypeOf<TestbedError['code']>().toEqualTypeOf<ErrorCode>();
expectTypeOf<TestbedError['hint']>().toEqualTypeOf<string | undefined>();
