// Validates custom resources, one JSON document on each line of stdin, with the schemas of their operators.
import { createInterface } from "node:readline";
import { HTTPRoute } from "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute";
import { PodMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor";
import { PrometheusRule } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule";

const kinds = { HTTPRoute, PodMonitor, PrometheusRule };
for await (const line of createInterface({ input: process.stdin })) {
  const document = JSON.parse(line);
  new kinds[document.kind](document).validate();
}
