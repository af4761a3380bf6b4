/**
The public surface of the library: re-exports only. Everything here is pure; the kernel is in `testbed/`.
*/

export type * from './netfilter/types.js';
export type * from './netfilter/path.js';
export {stepsOfPath, stopsOfPath} from './netfilter/path.js';
export {ParseError, parseSave, printSave} from './netfilter/iptables/save.js';
export {
	importRules, opaqueRules, recognize, type Imported, type OpaqueRule,
} from './netfilter/import/import-rules.js';
export {parseNft, printNft} from './netfilter/nftables/ruleset.js';
export {parseNftJson} from './netfilter/nftables/json.js';
export {normalize} from './netfilter/iptables/normalize.js';

export {InputError} from './parsing/input-error.js';
export {
	parseReleaseInput, parseReleaseInputs, parseSidecarArguments, readSidecarArguments, type ReleaseInput, type ReleaseInputs, type SidecarInput,
} from './istio/options/arguments.js';
export {sidecarOptionsFromConfig} from './istio/options/config-options.js';
export {generate} from './istio/generate.js';
export {ambientRouting} from './istio/ambient/routing.js';
export {parseAmbientInput, type AmbientInput, type AmbientOptions} from './istio/ambient/options.js';
export {ambientHostRuleSet, ambientHostSets, ambientRuleSet} from './istio/iptables/ambient.js';
export {ambientHostNftRuleSet, ambientNftRuleSet} from './istio/nftables/ambient.js';
export {refusalOf} from './istio/nftables/refusal.js';
export {parsePod, type Pod} from './istio/pod/pod.js';
export {podInput, type PodInput} from './istio/pod/input.js';
export {defaultOptions, injectedArguments, injectedArgumentsOf, type SidecarOptions} from './istio/options/options.js';
export {findRelease, newestRelease, releaseLines, type Release} from './istio/releases.js';
export {describeRole, roleOf, roles, type Role} from './istio/roles/roles.js';
export {sidecarRouting} from './istio/routing.js';
export {intentOf, intentOfRuleSet, unsupportedOptions} from './istio/intent.js';
export {istio} from './istio/mesh.js';
export {meshes} from './meshes.js';
export {rulesOfMesh, type Mesh, type MeshRules} from './mesh/mesh.js';
export type {RoleHistory, RolePattern, RoleRecord, RoleTable} from './mesh/roles.js';
export {sidecarRuleSet} from './istio/iptables/sidecar.js';
export {articleRules, publishedSource, publishedTypes} from './istio/published.js';

export {defaultTopology, type Topology} from './mesh/topology.js';
export {
	defaultTypeIds, isTypeId, sixTypes, typeIds, typeName,
} from './istio/traffic/six-types.js';
export type * from './mesh/traffic.js';
export {parseScenario} from './scenario/file/parse.js';
export {planScenario, type ScenarioPlan} from './scenario/file/plan.js';
export {scenarioSchema} from './scenario/file/schema.js';
export type {ScenarioFile} from './scenario/file/types.js';

export {parseLesson} from './lessons/parse.js';
export {
	advance, exitStatusOfLesson, isAsWritten, shownHints, startLesson, stepOf, tallyOfLesson, type LessonEvent, type LessonState, type StepResult,
} from './lessons/engine.js';
export {questionOf, type Question} from './lessons/asks.js';
export {readMarkdown, type Block, type Span} from './lessons/markdown.js';
export type {
	Choice, Lesson, LessonStep, SeenConnection, StepEvidence, TriedFix,
} from './lessons/types.js';

export type {Gap, GapKind} from './trace/gap.js';
export type {Observation, ObservedPath} from './trace/observation.js';

export type {
	Cause, Difference, LegClaim, Outcome, RuleReference,
} from './judge/outcome.js';
export {judge, type Judgment} from './judge/judge.js';
export {comparePublished, type PublishedVerdict} from './judge/published.js';
export {ruleNotes, type RuleNote} from './judge/rule-notes.js';
export {diffRuleSets, isEqualDiff, type RuleChange, type RuleSetDiff} from './judge/rule-diff/rule-diff.js';
export {explainerOf, type RuleExplanation} from './judge/explain/explain-rule.js';
export {explainLeg, type Contradiction, type LegExplanation} from './judge/explain/explain-leg.js';
export {askRule, type RuleAnswer} from './judge/explain/match-rule.js';
export type {PacketFacts} from './judge/explain/packet-facts.js';

export {parseBaseline, printBaseline} from './baseline/file.js';
export type {Baseline, RecordedCase, RecordedClass} from './baseline/baseline.js';
export {classify, type ClassSet, type PacketClass} from './packet-classes/classify.js';
export {type Severity, type Statement} from './comparison/moves.js';
export {representativesOf, type Representative} from './packet-classes/representatives.js';

export {comparisonToJson} from './report/comparison/json.js';
export {printComparison} from './report/comparison/text.js';
export type {ComparisonReport} from './report/comparison/types.js';
export {resultsOfVerification} from './report/verification/results.js';
export {verificationToJson} from './report/verification/json.js';
export {printVerification} from './report/verification/text.js';
export {verificationOutcome, type VerificationReport} from './report/verification/types.js';
export {describeCause, describeDifference} from './report/run/describe-differences.js';
export {exitStatus, type ExitStatus, type Tally} from './judge/exit-status.js';
export {exitStatusOfRun, summarize} from './report/run/summary.js';
export {reportToJson} from './report/run/json.js';
export {probeToJson} from './report/probe/json.js';
export {printProbe} from './report/probe/text.js';
export type {ProbeQuestion, ProbeReport} from './report/probe/types.js';
export {rulesDiffToJson, rulesToJson} from './report/rules/json.js';
export type {ShownRules} from './report/rules/types.js';
export {printGithub} from './report/formats/github.js';
export {printJunit} from './report/formats/junit.js';
export {printHtml, type HtmlOptions} from './report/formats/html.js';
export {printMarkdown} from './report/formats/markdown.js';
export {drawablesOf, printOneMermaid, printOneSvg} from './report/formats/one-connection.js';
export {layOut, type LayoutOptions} from './drawing/lay-out.js';
export type {Layout, Shape} from './drawing/layout.js';
export type {Connection} from './drawing/connection.js';
export {printSvg, type SvgOptions} from './drawing/svg.js';
export {printMermaid} from './drawing/mermaid.js';
export {resultsOfReport, resultsOfRuns} from './report/run/results.js';
export {
	exitStatusOfResults, summarizeResults, type CaseOutcome, type ResultCase, type Results, type ResultSuite,
} from './report/formats/results.js';
export type {RunEntry, Runs} from './report/run/many.js';
export {printTap} from './report/formats/tap.js';
export {printText} from './report/run/text.js';
export {type TextOptions} from './report/terminal/head.js';
export type {Report, TypeResult} from './report/run/types.js';
export type {Environment, Place, RulesSummary} from './report/shared-types.js';
export type {Identity, ReleaseRange} from './mesh/identity.js';
