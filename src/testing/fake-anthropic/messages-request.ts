/** A request of the Messages API, as far as its prompt cache and its limits are concerned. */
export interface MessagesRequest {
  readonly model: string
  readonly messages: readonly unknown[]
  readonly system?: unknown
  readonly tools?: unknown
  readonly tool_choice?: unknown
  readonly thinking?: unknown
  readonly output_config?: unknown
  readonly cache_control?: unknown
  readonly diagnostics?: unknown
  readonly speed?: unknown
  readonly service_tier?: unknown
  readonly inference_geo?: unknown
  readonly max_tokens?: unknown
  readonly stream?: unknown
}
