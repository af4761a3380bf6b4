/**
The library that uses the kernel: `sidecar-netfilter-testbed/kernel`. It needs Linux, root and the netfilter programs when something runs, not when it is imported. The pure part is `sidecar-netfilter-testbed` itself (`src/index.ts`). Re-exports only.
*/

export {exitStatusOf, TestbedError, type ErrorCode} from './errors.js';
export type {RuleInput} from './inputs/types.js';
export {loadRules, parseRules, type LoadedRules, type RuleChoices} from './library/rules.js';
export {
	openSandbox, type ProbeAnswer, type ProbeAsked, type RulesSandbox, type SandboxChoices,
} from './library/sandbox.js';
export {
	checkBaseline, classesOf, compare, createBaseline, runTypes, type CompareChoices, type BaselineChoices, type RunChoices, type TypesChoices, type CheckChoices,
} from './library/runs.js';
export type {
	ActorName, Credentials, TypeId,
} from '../src/mesh/traffic.js';
export type {AddressFamily, Backend, RuleSet} from '../src/netfilter/types.js';
export type {Gap} from '../src/trace/gap.js';
export type {ClassSet, PacketClass} from '../src/packet-classes/classify.js';
export type {Baseline} from '../src/baseline/baseline.js';
export type {ComparisonReport} from '../src/report/comparison/types.js';
export {verificationOutcome, type VerificationReport} from '../src/report/verification/types.js';
export type {Report} from '../src/report/run/types.js';
