/**
The messages between the page and the server of `testbed serve`: only types, so that the page's bundle contains no schemas. The server still validates everything from the page with `requests.ts`.
*/

import type {Connection} from '../drawing/connection.js';
import type {Tally} from '../judge/exit-status.js';
import type {Phase, StepResult} from '../lessons/engine.js';
import type {Block} from '../lessons/markdown.js';
import type {ActorName, Credentials, TypeId} from '../mesh/traffic.js';
import type {AddressFamily, Backend, Family} from '../netfilter/types.js';

/** Rules that a page may ask for: generated ones by their name (`release:1.31 --redirect-dns`), or the text of a dump. Never a file. */
export type RulesChoice =
	| {readonly kind: 'generated'; readonly input: string; readonly backend?: Backend}
	| {readonly kind: 'text'; readonly name: string; readonly text: string; readonly backend?: Backend};

/** The place of a rule. `number` counts from 1. */
export type RuleAt = {readonly family: Family; readonly table: string; readonly chain: string; readonly number: number};

/** One change of the rules in one family. `condition` is the index of a condition of the rule, from 0, in the order of {@link ShownRule.values}. */
type FamilyEdit =
	| {readonly kind: 'delete'; readonly at: RuleAt}
	/** `to` is the number that the rule has afterwards. */
	| {readonly kind: 'move'; readonly at: RuleAt; readonly to: number}
	| {readonly kind: 'negate'; readonly at: RuleAt; readonly condition: number}
	/** Another user, group or port for a condition; without `condition`, for the target. */
	| {readonly kind: 'value'; readonly at: RuleAt; readonly condition?: number; readonly value: string}
	| {readonly kind: 'text'; readonly at: RuleAt; readonly text: string}
	/** The new rule has the number of `at`. */
	| {readonly kind: 'insert'; readonly at: RuleAt; readonly text: string};

/** One change of the rules. With `inBoth`, the rule of the other address family that reads the same is changed in the same way. */
export type RuleEdit = FamilyEdit & {readonly inBoth?: boolean};

/** One connection to open: one of the mesh's types, or the user's own. `to` is `PLACE:PORT`, `ADDRESS:PORT` or `[ADDRESS]:PORT`. */
export type Question =
	| {readonly kind: 'type'; readonly type: TypeId}
	| {readonly kind: 'connection'; readonly from: ActorName; readonly to: string; readonly protocol?: 'tcp' | 'udp'; readonly uid?: number; readonly gid?: number};

/** The content of a link or a file: enough to ask the same again. */
export type SharedState = {
	readonly version: 1;
	readonly rules: RulesChoice;
	readonly edits: readonly RuleEdit[];
	readonly family: AddressFamily;
	readonly question: Question | null;
};

/** What everyone in the room sees besides the answers. `step` counts the steps of the packet's path from 0; null shows all of it. */
export type View = {readonly step: number | null; readonly panel: Panel; readonly example: number};

/** The newest view, as the event `view` and the answer to a request tell it. */
export type NumberedView = {readonly view: View; readonly viewNumber: number};

/** What the page is used for. */
export type Panel = 'send' | 'predict' | 'compare' | 'lesson';

/** What the page can ask for. */
export type Action =
	| {readonly kind: 'send'; readonly question: Question}
	| {readonly kind: 'rules'; readonly rules: RulesChoice}
	| {readonly kind: 'edit'; readonly edit: RuleEdit}
	| {readonly kind: 'undo'}
	| {readonly kind: 'redo'}
	| {readonly kind: 'family'; readonly family: AddressFamily}
	| {readonly kind: 'predict'; readonly question: Question}
	/** The index of the guess among the candidates; null: no rule decides. */
	| {readonly kind: 'guess'; readonly candidate: number | null}
	| {readonly kind: 'clear-score'}
	| {readonly kind: 'compare'; readonly from: RulesChoice; readonly to: RulesChoice}
	| {readonly kind: 'restore'; readonly state: SharedState}
	| {readonly kind: 'lesson'; readonly name: string}
	/** Keys or values of choices. */
	| {readonly kind: 'answer'; readonly answer: readonly string[]}
	| {readonly kind: 'hint' | 'give-up' | 'next' | 'close-lesson'}
	| {readonly kind: 'view'; readonly view: View}
	/** Takes control from another page. */
	| {readonly kind: 'take'};

/** A value of a rule that can be changed. `condition` is null for that of the target. */
export type RuleValue = {readonly condition: number | null; readonly name: string; readonly value: string; readonly canNegate: boolean; readonly canChange: boolean};

/** A rule as installed in the kernel. */
export type ShownRule = {
	readonly number: number;
	readonly text: string;
	readonly purpose: string | null;
	readonly values: readonly RuleValue[];
	/** Whether it is new since the last change. */
	readonly isNew: boolean;
	/** Whether the same chain of the other address family has the same rule, so that both can be changed at once. */
	readonly hasCounterpart: boolean;
};

/** A chain as installed in the kernel. `gone` are the texts of rules that the last change removed. */
export type ShownChain = {
	readonly family: Family;
	readonly table: string;
	readonly name: string;
	readonly policy: string | null;
	readonly rules: readonly ShownRule[];
	readonly gone: readonly string[];
};

/** The rules that are loaded. */
export type ShownRules = {
	/** As the user named them. */
	readonly source: string;
	readonly backend: Backend;
	/** What kind of rules they are, in one line. */
	readonly identity: string;
	readonly families: readonly AddressFamily[];
	readonly family: AddressFamily;
	readonly chains: readonly ShownChain[];
	/** The changes since they were loaded, a sentence each. */
	readonly edits: readonly string[];
	/** Remarks about them. */
	readonly hints: readonly string[];
	/** The number of rules; `chains` contains only as many as a page can show. */
	readonly count: number;
};

/** The outcome of something. Missing evidence makes it inconclusive, never a pass. `seen`: there is no expectation. */
export type Outcome = 'pass' | 'fail' | 'inconclusive' | 'seen';

/** One of the mesh's types, with its outcomes under the rules before the last change and under the current ones; null if it was not sent. */
export type TypeRow = {readonly id: TypeId; readonly name: string; readonly legend: string; readonly before: Outcome | null; readonly now: Outcome | null; readonly reason: string};

/** A question, what the kernel did, and remarks about it. */
export type Answer = {
	readonly question: Question;
	readonly name: string;
	readonly outcome: Outcome;
	/** Why it is not as intended, or what is missing. */
	readonly reasons: readonly string[];
	readonly stops: string;
	/** The rules that decided, leg by leg: `ISTIO_OUTPUT#9`. */
	readonly deciding: readonly string[];
	/** Null if no packet was seen. */
	readonly connection: Connection | null;
	/** From the request to the last of the evidence. */
	readonly durationMs: number;
};

/** A rule that can be guessed. */
export type Candidate = {readonly chain: string; readonly number: number; readonly table: string; readonly text: string; readonly purpose: string | null};

/** A guess that is asked for, or has been made. */
export type Prediction = {
	readonly question: Question;
	readonly name: string;
	/** The sender and the destination, in a sentence. */
	readonly about: string;
	readonly candidates: readonly Candidate[];
	/** Undefined until someone has guessed; null: "no rule decides". */
	readonly guess?: number | null;
	/** The candidates that decided, once someone has guessed. Empty: no rule did. Null: the evidence does not show it, and the guess does not count. */
	readonly right?: readonly number[] | null;
};

/** The results of the guesses. */
export type Score = {readonly asked: number; readonly right: number};

/** What moved between two rule sets. `state` says how far the comparison is. */
export type Comparison = {
	/** Distinguishes comparisons. */
	readonly id: number;
	readonly from: string;
	readonly to: string;
	readonly state: 'rules' | 'sending' | 'complete' | 'failed';
	/** The differences between the rules' texts, which are known first. */
	readonly rules: readonly string[];
	readonly outcome: 'equal' | 'moved' | 'inconclusive' | null;
	readonly summary: string;
	readonly moves: readonly Move[];
	readonly gaps: readonly string[];
};

/** One statement of a comparison. Its drawings are requested by its index. */
export type Move = {readonly severity: string; readonly sentence: string};

/** The same packet through both rule sets. */
export type MoveDrawings = {readonly before: Connection | null; readonly after: Connection | null};

/** A lesson in the list. */
export type LessonEntry = {readonly name: string; readonly title: string; readonly part: string; readonly minutes: number};

/** A lesson in progress. What gives the answer away is there only when the question is over. */
export type LessonView = {
	readonly name: string;
	readonly title: string;
	readonly part: string;
	readonly phase: Phase;
	/** The step, counted from 0, of `count` steps. */
	readonly index: number;
	readonly count: number;
	readonly intro: readonly Block[];
	readonly text: readonly Block[];
	/** Chains that the question is about. */
	readonly rules: ReadonlyArray<{readonly chain: string; readonly rules: ReadonlyArray<{readonly number: number; readonly text: string}>}>;
	readonly question: readonly Block[];
	readonly choices: ReadonlyArray<{readonly key: string; readonly value: string; readonly text: string}>;
	/** Whether the answer is a list of choices. */
	readonly isList: boolean;
	readonly wrong: ReadonlyArray<readonly string[]>;
	readonly hints: ReadonlyArray<readonly Block[]>;
	readonly hasMoreHints: boolean;
	readonly result: StepResult | null;
	/** The values of the right choices. */
	readonly right: readonly string[] | null;
	readonly ending: readonly Block[];
	readonly lessonEnding: readonly Block[];
	readonly tally: Tally;
	readonly drawings: readonly Connection[];
};

/** Something that was sent, for the list of connections. The newest comes first. */
export type Sent = {readonly id: number; readonly name: string; readonly rules: string; readonly outcome: Outcome; readonly stops: string; readonly deciding: string; readonly durationMs: number};

/** Everything that the page shows. */
export type Snapshot = {
	/** Increases with every change. */
	readonly revision: number;
	readonly rules: ShownRules | null;
	readonly types: readonly TypeRow[];
	readonly canUndo: boolean;
	readonly canRedo: boolean;
	/** The last question under the current rules, and under those before the last change if there was one. */
	readonly now: Answer | null;
	readonly before: Answer | null;
	readonly prediction: Prediction | null;
	readonly score: Score;
	readonly comparison: Comparison | null;
	readonly sent: readonly Sent[];
	readonly view: View;
	/** Increases with every view, whether a page or the server chose it. */
	readonly viewNumber: number;
	/** What the server is doing, or null. */
	readonly busy: string | null;
	/** What went wrong with the last request; none of it was done. */
	readonly problem: Problem | null;
	/** What others need to see the same. */
	readonly shared: SharedState | null;
	/** The page in control, by the name that it gave itself; null while there is none. */
	readonly holder: string | null;
	readonly watchers: number;
	readonly users: Readonly<Record<string, Credentials>>;
	readonly releases: readonly string[];
	readonly lesson: LessonView | null;
};

/** A request that could not be fulfilled. */
export type Problem = {readonly message: string; readonly hint: string | null};

/** What a page may do. */
export type Role = 'act' | 'watch';

/** The first message of the server to a page. */
export type Hello = {readonly role: Role; readonly lessons: readonly LessonEntry[]};
