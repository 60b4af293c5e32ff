import { Component, type ReactNode } from "react";
import { Fault } from "./States";

/** Boundary keeps the header alive when a page breaks, most often because its code is gone after a new release. */
export class Boundary extends Component<{ children: ReactNode }, { error: Error | undefined }> {
  override state: { error: Error | undefined } = { error: undefined };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    if (!this.state.error) return this.props.children;
    return <Fault error={this.state.error} onRetry={() => window.location.reload()} />;
  }
}
