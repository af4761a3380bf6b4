/**
The public surface of the library: re-exports only. Everything here is pure; the kernel is in `testbed/`.
*/

export type * from './netfilter/types.js';
export type * from './netfilter/path.js';
export {stepsOfPath, stopsOfPath} from './netfilter/path.js';
export {ParseError, parseSave, printSave} from './netfilter/save.js';
export {
	importRules, opaqueRules, recognise, type Imported, type OpaqueRule,
} from './netfilter/import.js';
export {parseNft, printNft} from './netfilter/nft.js';
export {parseNftJson} from './netfilter/nft-json.js';
export {normalise} from './netfilter/normalise.js';

export {InputError} from './istio/input-error.js';
export {
	parseReleaseInput, parseReleaseInputs, parseSidecarArguments, readSidecarArguments, type ReleaseInput, type ReleaseInputs, type SidecarInput,
} from './istio/arguments.js';
export {sidecarOptionsFromConfig} from './istio/config-options.js';
export {generate} from './istio/generate.js';
export {ambientRouting} from './istio/ambient-routing.js';
export {parseAmbientInput, type AmbientInput, type AmbientOptions} from './istio/ambient-options.js';
export {ambientHostRuleSet, ambientHostSets, ambientRuleSet} from './istio/iptables/ambient.js';
export {ambientHostNftRuleSet, ambientNftRuleSet} from './istio/nftables/ambient.js';
export {refusalOf} from './istio/nftables/refusal.js';
export {parsePod, type Pod} from './istio/pod/pod.js';
export {podInput, type PodInput} from './istio/pod/input.js';
export {defaultOptions, injectedArguments, injectedArgumentsOf, type SidecarOptions} from './istio/options.js';
export {findRelease, newestRelease, releaseLines, type Release} from './istio/releases.js';
export {roleHistory, type RoleHistory} from './istio/role-history.js';
export {describeRole, roleOf, roles, type Role} from './istio/roles.js';
export {sidecarRouting} from './istio/routing.js';
export {sidecarRuleSet} from './istio/iptables/sidecar.js';
export {articleRules, publishedSource, publishedTypes} from './istio/published.js';

export {defaultTopology, type Topology} from './scenario/topology.js';
export {
	defaultTypeIds, intentOf, intentOfRuleSet, isTypeId, sixTypes, typeIds, typeName, unsupportedOptions,
} from './scenario/six-types.js';
export type * from './scenario/types.js';
export {parseScenario} from './scenario/file/parse.js';
export {planScenario, type ScenarioPlan} from './scenario/file/plan.js';
export {scenarioSchema} from './scenario/file/shapes.js';
export type {ScenarioFile} from './scenario/file/types.js';

export type {Gap, GapKind} from './trace/gap.js';
export type {Observation, ObservedPath} from './trace/observation.js';

export type {
	Cause, Difference, LegClaim, Outcome, RuleReference,
} from './judge/outcome.js';
export {judge, type Judgement} from './judge/judge.js';
export {comparePublished, type PublishedVerdict} from './judge/published.js';
export {ruleNotes, type RuleNote} from './judge/rule-notes.js';
export {diffRuleSets, isEqualDiff, type RuleChange, type RuleSetDiff} from './judge/rule-diff.js';
export {explainerOf, type RuleExplanation} from './judge/rule-explanation.js';
export {explainLeg, type Contradiction, type LegExplanation} from './judge/why-not.js';
export {askRule, type RuleAnswer} from './judge/rule-answer.js';
export type {PacketFacts} from './judge/packet-facts.js';

export {parseBaseline, printBaseline} from './classes/baseline-file.js';
export type {Baseline, RecordedCase, RecordedClass} from './classes/baseline.js';
export {classify, type ClassSet, type PacketClass} from './classes/classes.js';
export {type Severity, type Statement} from './classes/moved.js';
export {representativesOf, type Representative} from './classes/representatives.js';

export {comparisonToJson} from './report/comparison-json.js';
export {printComparison} from './report/comparison-text.js';
export type {ComparisonReport} from './report/comparison-types.js';
export {resultsOfVerification} from './report/results-of-verification.js';
export {verificationToJson} from './report/verification-json.js';
export {printVerification} from './report/verification-text.js';
export {verificationOutcome, type VerificationReport} from './report/verification-types.js';
export {describeCause, describeDifference} from './report/differences.js';
export {exitCode, summarize, type Summary} from './report/exit-code.js';
export {reportToJson} from './report/json.js';
export {probeToJson} from './report/probe-json.js';
export {printProbe} from './report/probe-text.js';
export type {ProbeQuestion, ProbeReport} from './report/probe-types.js';
export {rulesDiffToJson, rulesToJson} from './report/rules-json.js';
export type {ShownRules} from './report/rules-types.js';
export {printGithub} from './report/github.js';
export {printJunit} from './report/junit.js';
export {printMarkdown} from './report/markdown.js';
export {resultsOfReport, resultsOfRuns} from './report/results-of-runs.js';
export {
	exitCodeOfResults, summarizeResults, type CaseOutcome, type ResultCase, type Results, type ResultSuite,
} from './report/results.js';
export type {RunEntry, Runs} from './report/runs.js';
export {printTap} from './report/tap.js';
export {printText, type TextOptions} from './report/text.js';
export type {
	Environment, Place, Report, RulesSummary, TypeResult,
} from './report/types.js';
