/** The public surface of the package. Every type that a signature names is here, so that programs can name it too. */

export type { AdapterBase } from './adapter/adapter-base.ts';
export type { LineageEntry, LineageVerdict, Making, NamedDigest, Parent } from './adapter/lineage.ts';
export type {
  AnswerStream,
  AnswerToken,
  ChatModel,
  Generated,
  GenerateOptions,
  LogitBias,
  Model,
  Prompt,
  PromptOptions,
  Sampling,
  ScoreTextOptions,
  StopReason,
  TextScore,
  TextToken,
  TokenProbability,
} from './chat/chat-model.ts';
export type { Score, ScoredToken } from './chat/score.ts';
export type { RowScore, ScoreRow, ScoreRowsOptions } from './chat/score-row.ts';
export type { ServerOptions } from './client/connection.ts';
export type { JobAction, ServerJob, ServerJobEvent, ServerJobs } from './client/jobs.ts';
export type { RemoteModel } from './client/remote-chat.ts';
export type { CheckedRows } from './data-checks/check-rows.ts';
export type { DataFinding, FindingKind, FindingSeverity } from './data-checks/finding.ts';
export type { LanguageCount } from './data-checks/languages.ts';
export type { LabelCount, Lengths } from './data-checks/row-shapes.ts';
export type { CheckedTokens } from './data-checks/tokens-of-rows.ts';
export type { MarkCounts } from './dataset/collect-rows.ts';
export type { DataFile } from './dataset/dataset-files.ts';
export type { TuningFault, TuningFileCheck } from './dataset/tuning-file.ts';
export { type CodeEntry, errorCodes, isErrorCode } from './error-codes.ts';
export { type ErrorCode, type ErrorKind, NomoatError, type NomoatErrorOptions } from './errors.ts';
export type { BaselineKind } from './evaluate/baselines.ts';
export type { Comparison, Tied, Verdict } from './evaluate/compare.ts';
export type { Paired } from './evaluate/compare-two.ts';
export type { NearlyTrained } from './evaluate/contamination.ts';
export type { Degenerate } from './evaluate/degenerate.ts';
export type {
  BaselineEvaluation,
  Costs,
  Doubt,
  Evaluation,
  Measured,
  MetricUsed,
  ModelEvaluation,
  Severity,
} from './evaluate/evaluation.ts';
export type { Findings } from './evaluate/findings.ts';
export type { Judgement } from './evaluate/judge.ts';
export type { Calibration, ReliabilityBin } from './evaluate/likelihood/calibration.ts';
export type { ExampleLoss, LossComparison, LossReport, ModelLoss } from './evaluate/likelihood/loss.ts';
export type { JsonReport } from './evaluate/metrics/json-fields.ts';
export type { LabelReport, LabelScore } from './evaluate/metrics/labels.ts';
export type { MetricFunction } from './evaluate/metrics/own-metric.ts';
export type { Passes, PassShare } from './evaluate/passes.ts';
export type { Rewording, RewordingScore, Sensitivity } from './evaluate/rewordings.ts';
export type { MetricScore, SeedScores } from './evaluate/score-answers.ts';
export type { Interval } from './evaluate/statistics/proportions.ts';
export type { Forgetting, GeneralScore } from './evaluate/trust/forgetting.ts';
export type { CanaryExposure, Memorisation, ToldApart } from './evaluate/trust/memorisation.ts';
export type {
  CheckpointSavedEvent,
  DataReadyEvent,
  ErrorEvent,
  EstimateEvent,
  ExportParityEvent,
  NoticeEvent,
  PlanEvent,
  PrecisionEvent,
  RefusedRow,
  RunEndEvent,
  RunEvent,
  RunStartEvent,
  StepEndEvent,
  ValidationEvent,
} from './events.ts';
export type { UpdateComparison } from './inspect/compare-updates.ts';
export type { Intruder, IntruderReport } from './inspect/intruders.ts';
export type { ModelFacts } from './inspect/model-facts.ts';
export type { BaseComparison, WeightChange, WeightReport } from './inspect/model-report.ts';
export type { SpectralComparison, SpectralFigures } from './inspect/spectral.ts';
export type { TokenChange, TokenTotal } from './inspect/token-changes.ts';
export type { SpreadFigures } from './inspect/weight-figures.ts';
export {
  type AnswerSources,
  type AnswerSourcesOptions,
  answerSources,
  type SourceRow,
} from './library/answer-sources.ts';
export { type Card, type CardOptions, card } from './library/card.ts';
export { type CheckedAnswer, type CheckOptions, check, type SafetyReport } from './library/check.ts';
export type { AdapterFigures } from './library/check-adapter.ts';
export {
  type CollectedData,
  type CollectedSource,
  type CollectOptions,
  collect,
  type LeftOutMarks,
} from './library/collect.ts';
export {
  type AdapterComparison,
  type CompareAdaptersOptions,
  type ComparedUpdate,
  compareAdapters,
} from './library/compare-adapters.ts';
export { type ConvertOptions, convertAdapter, type ModuleProgress } from './library/convert-adapter.ts';
export { type DoctorOptions, doctor } from './library/doctor.ts';
export { type EmbedderOptions, openEmbedder } from './library/embedder.ts';
export { type EvaluateOptions, evaluate } from './library/evaluate.ts';
export type { EvaluationOutputs } from './library/evaluation-outputs.ts';
export { type Exported, type ExportRunOptions, exportRun } from './library/export-run.ts';
export { type ExtractAdapterOptions, extractAdapter } from './library/extract-adapter.ts';
export type { FoundBase } from './library/find-base.ts';
export { type ImportOptions, importOpenAI } from './library/import-openai.ts';
export { type IndexedFolder, indexFolder } from './library/index-folder.ts';
export {
  type AdapterInspection,
  type InspectOptions,
  type InspectProgress,
  inspectAdapter,
  type SpectralReport,
  type UpdateReport,
} from './library/inspect.ts';
export {
  type DataInspection,
  type InspectDataOptions,
  inspectData,
  type KindCount,
  type LeftOutRow,
  type WrittenClean,
} from './library/inspect-data.ts';
export type { Lineage } from './library/inspect-lineage.ts';
export { type InspectModelOptions, inspectModel, type ModelInspection } from './library/inspect-model.ts';
export {
  type AddApiKeyOptions,
  type ApiKey,
  addApiKey,
  listApiKeys,
  type NewApiKey,
  removeApiKey,
} from './library/keys.ts';
export { type LineageOptions, type LineageReport, lineage } from './library/lineage.ts';
export type { MetricGiven } from './library/load-metric.ts';
export {
  type LensBlock,
  type LensGuess,
  type LensView,
  type LogitLens,
  type LogitLensOptions,
  logitLens,
} from './library/logit-lens.ts';
export {
  type MergeAdaptersOptions,
  type MergedAdapters,
  mergeAdapters,
} from './library/merge-adapters.ts';
export type { Interference } from './library/merge-interference.ts';
export type { MergeLosses } from './library/merge-losses.ts';
export { type ListedModels, listModels, type PullModelOptions, pullModel, resolveModel } from './library/models.ts';
export { type PackBundleOptions, packBundle } from './library/pack-bundle.ts';
export { type PlanOptions, plan } from './library/plan.ts';
export { type Preview, type PreviewOptions, preview, type RowSetting } from './library/preview.ts';
export { type Pulled, type PullOptions, pull } from './library/pull.ts';
export { type Pushed, type PushOptions, push } from './library/push.ts';
export { type ReproduceOptions, type Reproduction, reproduceRun } from './library/reproduce-run.ts';
export { type FollowOptions, listRuns, type OpenedRun, openRun } from './library/runs.ts';
export { connectServer, type ServerClient } from './library/server-client.ts';
export {
  type AddSigningKeyOptions,
  addSigningKey,
  listSigningKeys,
  type NewSigningKey,
  type SigningKeyPair,
} from './library/signing-keys.ts';
export { type SoftenAdapterOptions, type SoftenedAdapter, softenAdapter } from './library/soften-adapter.ts';
export { tuneFrom } from './library/start-from.ts';
export {
  type ChangedAnswer,
  type TokenChanges,
  type TokenChangesOptions,
  tokenChanges,
} from './library/token-changes.ts';
export { type ResumeSeedsOptions, resumeTuneSeeds, type TuneSeedsOptions, tuneSeeds } from './library/tune-seeds.ts';
export { type CheckTuningFileOptions, checkTuningFile } from './library/tuning-file.ts';
export { type VerifiedBundle, type VerifyBundleOptions, verifyBundle } from './library/verify-bundle.ts';
export type { LineageCheck } from './library/verify-lineage.ts';
export {
  type ChatOptions,
  chat,
  openModel,
  type PretrainOptions,
  pretrain,
  resumeTune,
  type TuneOptions,
  tune,
} from './library.ts';
export type { Embedder, Embedding } from './llama/embedder.ts';
export type { Projection } from './lora/adapter.ts';
export type { LossType } from './losses/pair-losses.ts';
export type { PreferenceFigures } from './losses/preference-tally.ts';
export type { TokenLoss } from './losses/token-losses.ts';
export type { DoctorEngine, DoctorFolder, DoctorReport, Finding } from './machine/doctor.ts';
export type { MachineFacts } from './machine/machine.ts';
export type { TriedWeights } from './merge/search-weights.ts';
export type { Imported, ImportedKind, ImportedTune } from './migrate/imported.ts';
export type { ActivationPolicy } from './models/activation-policy.ts';
export type { InitScheme } from './models/random-model.ts';
export type { PretrainSizeName } from './models/sizes.ts';
export type { Arithmetic } from './plan/arithmetic.ts';
export type { Holding } from './plan/context.ts';
export type { Decision, SettingPlan } from './plan/decide.ts';
export type { Memory as PlannedMemory } from './plan/memory.ts';
export type { PlanReport } from './plan/plan-variants.ts';
export type { Money, Prices } from './plan/prices.ts';
export type { Confirm, Proposal } from './plan/proposal.ts';
export type { Room } from './plan/recommend.ts';
export type { Run, RunResult } from './run/run.ts';
export type { ListedRun, RunRecord, RunState } from './run/run-folder.ts';
export type { SeedRun, SeedSet } from './run/seed-set.ts';
export type { RunHandle } from './run/start-run.ts';
export type { KernelProbe } from './runtime/onnxruntime-node/probe.ts';
export type { Adapter as GraphicsAdapter } from './runtime/onnxruntime-node/webgpu-adapter.ts';
export type { GuardFigures, GuardKind } from './safety/guard.ts';
export type { CompletedValue, PersonalFindings } from './safety/personal-completions.ts';
export type { DriftFigure, RefusalComparison, RefusalFigure, SafetyEvent } from './safety-event.ts';
export type { SampleEvent, SamplesEvent, TrainingSampleEvent } from './sample-events.ts';
export type { ModelOpenedLog, RequestLog, ServerFailureLog, ServerLog } from './server/log.ts';
export { type RunningServer, type ServeOptions, serve } from './server/serve.ts';
export { type RunningStudio, type StudioOptions, studio } from './server/studio.ts';
export type { ExportFormat, MergedType } from './settings/adapter-settings.ts';
export type { CollectKind } from './settings/collect-settings.ts';
export type { CommandName } from './settings/command-settings.ts';
export type { JobSettings } from './settings/job-hyperparameters.ts';
export { type JsonSchema, settingsSchema } from './settings/json-schema.ts';
export type { MergeMethod } from './settings/merge-methods.ts';
export type { Method } from './settings/methods.ts';
export type { MetricName } from './settings/metric-names.ts';
export type { PretrainOptionValues, TuneOptionValues } from './settings/option-types.ts';
export type { DataFormat, PretrainSettings, RunSettings, TooLong } from './settings/run-settings.ts';
export type { TaskName } from './settings/task-names.ts';
export type { CatalogueEntry, PypiSource } from './store/catalogue.ts';
export type { FileStamp } from './store/file-digest.ts';
export type { KeyScope } from './store/key-scopes.ts';
export type { LocalModel, ModelSource } from './store/local-models.ts';
export type {
  ConfirmPull,
  FoundToPull,
  OnPullProgress,
  PulledModel,
  PullPhase,
  PullProgress,
} from './store/pull-progress.ts';
export type {
  AnswerForm,
  CallForm,
  HeadPart,
  JsonCall,
  MarkedCall,
  ParameterMarkup,
  ThoughtForm,
} from './text/answers/answer-form.ts';
export { type AnswerPart, AnswerReader, type OnAnswerPart } from './text/answers/answer-reader.ts';
export { type OfferedTools, offeredTools } from './text/answers/offered-tools.ts';
export type { Message, RecordSource } from './text/example.ts';
export type { TuningFormat } from './text/tuning-rows.ts';
export type { PreviewedAnswer, PreviewedPiece, PreviewedRow } from './tokens/preview.ts';
export type { RowsReport } from './tokens/rows.ts';
export type { AnswerDriftEvent, ResultEvent, VerdictComparison, VerdictEvent, VerdictScore } from './verdict-event.ts';
