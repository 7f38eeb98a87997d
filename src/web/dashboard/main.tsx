import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '../shared/base.css';
import { ApiProvider } from '../shared/api.tsx';
import { Dashboard } from './dashboard.tsx';

const root = document.querySelector('#root');
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <ApiProvider>
        <Dashboard />
      </ApiProvider>
    </StrictMode>,
  );
}
