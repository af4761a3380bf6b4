/**
What the program that asks an API server answers.
*/

import type {ReaderAnswer} from '../live/protocol.js';
import type {ClusterPod} from './cluster-pod.js';

/** The pod, or the error that the reading ended with. */
export type PodAnswer = ReaderAnswer<ClusterPod>;
