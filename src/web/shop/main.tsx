import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '../shared/base.css';
import { ApiProvider } from '../shared/api.tsx';
import { Shop } from './shop.tsx';

const root = document.querySelector('#root');
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <ApiProvider>
        <Shop />
      </ApiProvider>
    </StrictMode>,
  );
}
